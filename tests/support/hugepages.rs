//! Hugepages for a test: reserved and mounted where the machine has none, and given back.

use super::process::run;
use super::scratch::{Scratch, own_prefix};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const PAGES: &str = "/sys/kernel/mm/hugepages/hugepages-2048kB";
const QUICK: Duration = Duration::from_secs(20);

/// So many 2 MiB pages are free and mounted while this lives.
#[derive(Debug)]
pub(crate) struct Hugepages {
    /// What the machine had reserved, if that was changed.
    before: Option<u64>,
    mounted: Option<Scratch>,
    folder: PathBuf,
    /// Who counts free pages is disturbed by others who do.
    _alone: File,
}

impl Hugepages {
    /// `None`, with a word about it, where the machine gives none: the test then goes on without.
    #[track_caller]
    pub(crate) fn reserve(wanted: u64) -> Option<Self> {
        let lock = std::env::temp_dir().join("dpdk-test-hugepages.lock");
        let alone = File::create(lock).expect("a file to lock");
        alone.lock().expect("a lock");
        let (Some(total), Some(free)) = (number("nr_hugepages"), number("free_hugepages")) else {
            println!("this kernel has no hugepages of 2 MiB: the test runs without");
            return None;
        };
        let mut pages = Self {
            before: None,
            mounted: None,
            folder: PathBuf::new(),
            _alone: alone,
        };
        if free < wanted {
            pages.before = Some(total);
            let more = (total + wanted - free).to_string();
            let _ = fs::write(format!("{PAGES}/nr_hugepages"), more);
        }
        if number("free_hugepages")? < wanted {
            println!("no {wanted} hugepages can be had here: the test runs without");
            return None;
        }
        pages.folder = mount_point().unwrap_or_else(|| {
            let scratch = Scratch::new("huge");
            let folder = scratch.path().display().to_string();
            run(
                &[
                    "mount",
                    "-t",
                    "hugetlbfs",
                    "-o",
                    "pagesize=2M",
                    "none",
                    &folder,
                ],
                QUICK,
            )
            .ok();
            pages.mounted = Some(scratch);
            folder.into()
        });
        Some(pages)
    }

    /// The page files of a gateway of this process (of all, for ""), whose name begins what EAL calls them.
    pub(crate) fn files_of(&self, gateway: &str) -> Vec<PathBuf> {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let files = entries.map(|entry| entry.path());
        let own = |file: &PathBuf| {
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            let of_gateway = gateway.is_empty() || name.starts_with(&format!("{gateway}map_"));
            of_gateway && name.starts_with(&own_prefix())
        };
        files.filter(own).collect()
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Drop for Hugepages {
    fn drop(&mut self) {
        // A process leaves its page files even where it ends in order, and they hold their pages.
        for file in self.files_of("") {
            let _ = fs::remove_file(file);
        }
        if let Some(scratch) = &self.mounted {
            let folder = scratch.path().display().to_string();
            let _ = std::panic::catch_unwind(|| run(&["umount", "-l", &folder], QUICK));
        }
        if let Some(before) = self.before {
            let _ = fs::write(format!("{PAGES}/nr_hugepages"), before.to_string());
            // Pages of a process that is just gone come back a little later, and whoever reads the number
            // until then would take it for the machine's own.
            let end = Instant::now() + Duration::from_secs(3);
            while number("nr_hugepages") > Some(before) && Instant::now() < end {
                std::thread::sleep(Duration::from_millis(20));
            }
        }
    }
}

fn number(name: &str) -> Option<u64> {
    let text = fs::read_to_string(format!("{PAGES}/{name}")).ok()?;
    text.trim().parse().ok()
}

fn mount_point() -> Option<PathBuf> {
    let mounts = fs::read_to_string("/proc/mounts").ok()?;
    let mut mounts = mounts
        .lines()
        .map(|line| line.split(' ').collect::<Vec<_>>());
    let found = mounts.find(|fields| {
        fields.get(2) == Some(&"hugetlbfs")
            && fields
                .get(3)
                .is_some_and(|options| options.contains("pagesize=2M"))
    });
    found.and_then(|fields| fields.get(1).map(PathBuf::from))
}
