//! Decisions on made-up machines, and stale files in ordinary folders.

use super::*;

const MIB: u64 = 1 << 20;

fn facts(sizes: &[(u64, u64)], mounted: &[u64]) -> Facts {
    let size = |&(octets, free)| PageSize {
        octets,
        total: free + 1,
        free,
    };
    let mount = |&page_octets| Mount {
        dir: PathBuf::from("/nowhere"),
        page_octets,
    };
    Facts {
        sizes: sizes.iter().map(size).collect(),
        mounts: mounted.iter().map(mount).collect(),
    }
}

#[test]
fn hugepages_need_support_free_pages_a_mount_and_enough() {
    let needed = 64 * MIB;
    let no_huge = |facts: Facts| match facts.memory(needed) {
        Memory::NoHuge(reason) => reason,
        other => panic!("{other:?}"),
    };
    assert_eq!(no_huge(facts(&[], &[])), Reason::NoSupport);
    let page_octets = 2 * MIB;
    let none = Reason::NoneFree {
        page_octets,
        needed,
    };
    assert_eq!(
        no_huge(facts(&[(2 * MIB, 0), (1024 * MIB, 0)], &[2 * MIB])),
        none
    );
    assert_eq!(no_huge(facts(&[(2 * MIB, 64)], &[])), Reason::NotMounted);
    assert_eq!(
        no_huge(facts(&[(2 * MIB, 64)], &[1024 * MIB])),
        Reason::NotMounted
    );
    let few = Reason::TooFew {
        page_octets,
        free: 62 * MIB,
        needed,
    };
    assert_eq!(no_huge(facts(&[(2 * MIB, 31)], &[2 * MIB])), few);
    let enough = Memory::Hugepages { free: 64 * MIB };
    assert_eq!(facts(&[(2 * MIB, 32)], &[2 * MIB]).memory(needed), enough);
    let large = Memory::Hugepages { free: 1024 * MIB };
    assert_eq!(
        facts(&[(2 * MIB, 0), (1024 * MIB, 1)], &[1024 * MIB]).memory(needed),
        large
    );
}

#[test]
fn a_reason_says_what_to_type() {
    let none = Reason::NoneFree {
        page_octets: 2 * MIB,
        needed: 100 * MIB,
    };
    let text = "no hugepage is free; add 50 to \
                /sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages";
    assert_eq!(none.to_string(), text);
    let few = Reason::TooFew {
        page_octets: 2 * MIB,
        free: 90 * MIB,
        needed: 100 * MIB,
    };
    assert!(
        few.to_string().contains("90 MiB") && few.to_string().contains("add 5 to"),
        "{few}"
    );
    assert!(
        Reason::NotMounted
            .to_string()
            .contains("mount -t hugetlbfs")
    );
}

#[test]
fn mounts_are_read_with_their_page_size() {
    let text = "proc /proc proc rw 0 0\n\
                none /dev/hugepages hugetlbfs rw,relatime,pagesize=2M 0 0\n\
                none /mnt/huge\\0401G hugetlbfs rw,pagesize=1024M 0 0\n\
                hugetlbfs /mnt/default hugetlbfs rw 0 0\n\
                none /mnt/odd hugetlbfs rw,pagesize=2Q 0 0\n\
                broken\n";
    let mount = |dir: &str, page_octets| Mount {
        dir: PathBuf::from(dir),
        page_octets,
    };
    let expected = [
        mount("/dev/hugepages", 2 * MIB),
        mount("/mnt/huge 1G", 1024 * MIB),
        mount("/mnt/default", 32 * MIB),
    ];
    assert_eq!(parse_mounts(text, 32 * MIB), expected);
    assert_eq!(
        default_size("MemTotal: 1 kB\nHugepagesize:       2048 kB\n"),
        2 * MIB
    );
    assert_eq!(default_size("nothing"), 0);
}

#[test]
fn sizes_are_read_from_the_kernels_folders() {
    let dir = Scratch::new("sizes");
    let write = |folder: &str, file: &str, text: &str| {
        fs::create_dir_all(dir.0.join(folder)).unwrap();
        fs::write(dir.0.join(folder).join(file), text).unwrap();
    };
    for (folder, total, free) in [
        ("hugepages-1048576kB", "1", "0"),
        ("hugepages-2048kB", "9", "7"),
    ] {
        write(folder, "nr_hugepages", total);
        write(folder, "free_hugepages", &format!("{free}\n"));
    }
    write("hugepages-2048kB", "resv_hugepages", "2\n");
    write("something-else", "nr_hugepages", "1");
    let expected = [
        PageSize {
            octets: 2 * MIB,
            total: 9,
            free: 5,
        },
        PageSize {
            octets: 1024 * MIB,
            total: 1,
            free: 0,
        },
    ];
    assert_eq!(sizes(&dir.0), expected);
    assert_eq!(sizes(Path::new("/nowhere")), []);
}

#[test]
fn only_unlocked_page_files_of_the_prefix_are_removed() {
    let dir = Scratch::new("stale");
    for name in [
        "gwmap_0", "gwmap_17", "gwmap_", "gwmap_1x", "gw2map_0", "map_0", "gw", "agwmap_0",
    ] {
        fs::write(dir.0.join(name), "").unwrap();
    }
    let held = File::open(dir.0.join("gwmap_17")).unwrap();
    held.lock_shared().unwrap();
    let facts = Facts {
        sizes: Vec::new(),
        mounts: vec![Mount {
            dir: dir.0.clone(),
            page_octets: 2 * MIB,
        }],
    };
    assert_eq!(facts.remove_stale("gw"), [dir.0.join("gwmap_0")]);
    drop(held);
    assert_eq!(facts.remove_stale("gw"), [dir.0.join("gwmap_17")]);
    assert!(facts.remove_stale("gw").is_empty());
    assert_eq!(fs::read_dir(&dir.0).unwrap().count(), 6);
}

/// A folder that goes with the test.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let dir = std::env::temp_dir().join(format!("hugepages-{name}-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        Self(dir)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}
