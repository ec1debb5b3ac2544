//! Hugepages of the machine: how many are free, where they are mounted, whether EAL can have some, and what
//! a killed process left of them.
//!
//! EAL needs free pages and a `hugetlbfs` mount. Where either is missing it must be started with `--no-huge`,
//! which costs: no other process can capture (`dpdk-dumpcap`), a PCI port needs an IOMMU, and address
//! translation is slower.
//!
//! A process that ends, even cleanly, leaves its page files, and they hold their pages. EAL removes unlocked
//! ones (of any `--file-prefix`) when it starts with hugepages, but only then, and only after the decision
//! above has seen too few free pages. So [`Facts::remove_stale`] comes first.

use std::fmt;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

/// One size of hugepages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageSize {
    /// Octets per page.
    pub octets: u64,
    /// Pages that the kernel holds.
    pub total: u64,
    /// Pages that can be had: free, and not promised to another process.
    pub free: u64,
}

/// A `hugetlbfs` mount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// Where.
    pub dir: PathBuf,
    /// Octets of its pages.
    pub page_octets: u64,
}

/// What the machine has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// The sizes that the kernel knows, smallest first.
    pub sizes: Vec<PageSize>,
    /// The mounts.
    pub mounts: Vec<Mount>,
}

/// Which memory EAL can have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Memory {
    /// Hugepages: start EAL without `--no-huge`.
    Hugepages {
        /// Octets that are free in pages with a mount.
        free: u64,
    },
    /// Ordinary memory: start EAL with `--no-huge` and a size (`-m`, in MiB).
    NoHuge(Reason),
}

/// Why there are no hugepages to be had. Its text names the remedy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The kernel has none at all.
    NoSupport,
    /// None is reserved, or all are taken.
    NoneFree {
        /// Octets per page of the smallest size.
        page_octets: u64,
        /// Octets that are needed.
        needed: u64,
    },
    /// Some are free, and no `hugetlbfs` of their size is mounted.
    NotMounted,
    /// Fewer are free than are needed.
    TooFew {
        /// Octets per page.
        page_octets: u64,
        /// Octets that are free.
        free: u64,
        /// Octets that are needed.
        needed: u64,
    },
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::NoSupport => f.write_str("the kernel offers no hugepages"),
            Self::NoneFree {
                page_octets,
                needed,
            } => {
                write!(
                    f,
                    "no hugepage is free; {}",
                    Remedy {
                        page_octets,
                        missing: needed
                    }
                )
            }
            Self::NotMounted => f.write_str(
                "hugepages are free but not mounted; type: mount -t hugetlbfs none /dev/hugepages",
            ),
            Self::TooFew {
                page_octets,
                free,
                needed,
            } => write!(
                f,
                "{} MiB of hugepages are free, {} MiB are needed; {}",
                free >> 20,
                needed.div_ceil(1 << 20),
                Remedy {
                    page_octets,
                    missing: needed.saturating_sub(free)
                }
            ),
        }
    }
}

/// What to type for more pages.
struct Remedy {
    page_octets: u64,
    missing: u64,
}

impl fmt::Display for Remedy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pages = self.missing.div_ceil(self.page_octets.max(1)).max(1);
        let size = self.page_octets >> 10;
        write!(
            f,
            "add {pages} to /sys/kernel/mm/hugepages/hugepages-{size}kB/nr_hugepages"
        )
    }
}

impl Facts {
    /// Reads them. What can't be read counts as absent.
    #[must_use]
    pub fn of_machine() -> Self {
        let mounts = fs::read_to_string("/proc/mounts").unwrap_or_default();
        let meminfo = fs::read_to_string("/proc/meminfo").unwrap_or_default();
        Self {
            sizes: sizes(Path::new("/sys/kernel/mm/hugepages")),
            mounts: parse_mounts(&mounts, default_size(&meminfo)),
        }
    }

    /// Which memory EAL can have, if it needs `needed` octets.
    #[must_use]
    pub fn memory(&self, needed: u64) -> Memory {
        let Some(smallest) = self.sizes.first() else {
            return Memory::NoHuge(Reason::NoSupport);
        };
        let page_octets = smallest.octets;
        if self.sizes.iter().all(|size| size.free == 0) {
            return Memory::NoHuge(Reason::NoneFree {
                page_octets,
                needed,
            });
        }
        let mounted = |size: &&PageSize| self.mounts.iter().any(|m| m.page_octets == size.octets);
        let mut usable = self.sizes.iter().filter(mounted).peekable();
        if usable.peek().is_none() {
            return Memory::NoHuge(Reason::NotMounted);
        }
        let octets = usable.map(|size| size.octets.saturating_mul(size.free));
        let free = octets.fold(0, u64::saturating_add);
        if free < needed {
            return Memory::NoHuge(Reason::TooFew {
                page_octets,
                free,
                needed,
            });
        }
        Memory::Hugepages { free }
    }

    /// Removes the page files that ended processes with this `--file-prefix` left, and gives their paths.
    /// EAL locks the files that it uses, so those of a running process stay. Nothing else is touched.
    #[must_use]
    pub fn remove_stale(&self, file_prefix: &str) -> Vec<PathBuf> {
        let mut removed = Vec::new();
        for mount in &self.mounts {
            for path in page_files(&mount.dir, file_prefix) {
                if is_unlocked(&path) && fs::remove_file(&path).is_ok() {
                    removed.push(path);
                }
            }
        }
        removed
    }
}

/// EAL's page files of one prefix: `<prefix>map_<number>`.
fn page_files(dir: &Path, file_prefix: &str) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(dir) else {
        return Vec::new();
    };
    let is_ours = |name: &str| {
        name.strip_prefix(file_prefix)
            .and_then(|rest| rest.strip_prefix("map_"))
            .is_some_and(|rest| {
                !rest.is_empty() && rest.bytes().all(|octet| octet.is_ascii_digit())
            })
    };
    entries
        .flatten()
        .filter(|entry| entry.file_name().to_str().is_some_and(is_ours))
        .map(|entry| entry.path())
        .collect()
}

/// Whether no process holds EAL's lock (`flock`) on a file.
fn is_unlocked(path: &Path) -> bool {
    File::open(path).is_ok_and(|file| file.try_lock().is_ok())
}

/// The sizes below the kernel's folder, smallest first.
fn sizes(dir: &Path) -> Vec<PageSize> {
    let Ok(entries) = fs::read_dir(dir) else {
        return Vec::new();
    };
    let mut found: Vec<PageSize> = entries.flatten().filter_map(|e| size(&e.path())).collect();
    found.sort_by_key(|size| size.octets);
    found
}

fn size(dir: &Path) -> Option<PageSize> {
    let name = dir.file_name()?.to_str()?;
    let kibi: u64 = name
        .strip_prefix("hugepages-")?
        .strip_suffix("kB")?
        .parse()
        .ok()?;
    let number = |file: &str| {
        fs::read_to_string(dir.join(file))
            .ok()?
            .trim()
            .parse::<u64>()
            .ok()
    };
    let free = number("free_hugepages")?.saturating_sub(number("resv_hugepages").unwrap_or(0));
    Some(PageSize {
        octets: kibi.checked_mul(1024)?,
        total: number("nr_hugepages")?,
        free,
    })
}

/// The `hugetlbfs` lines of `/proc/mounts`.
fn parse_mounts(text: &str, default_size: u64) -> Vec<Mount> {
    let mount = |line: &str| {
        let mut fields = line.split(' ');
        let (_, dir, kind) = (fields.next()?, fields.next()?, fields.next()?);
        if kind != "hugetlbfs" {
            return None;
        }
        let page_octets = match fields
            .next()?
            .split(',')
            .find_map(|o| o.strip_prefix("pagesize="))
        {
            Some(size) => octets(size)?,
            None => default_size,
        };
        Some(Mount {
            dir: PathBuf::from(unescape(dir)),
            page_octets,
        })
    };
    text.lines().filter_map(mount).collect()
}

/// `2M`, `1G` or `2048K`, as mount options give a size.
fn octets(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let unit = match text.get(digits.len()..)?.to_ascii_uppercase().as_str() {
        "" => 1,
        "K" | "KB" => 1 << 10,
        "M" | "MB" => 1 << 20,
        "G" | "GB" => 1 << 30,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(unit)
}

/// The size of mounts that name none, octets.
fn default_size(meminfo: &str) -> u64 {
    let line = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("Hugepagesize:"));
    let kibi = line.and_then(|rest| rest.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kibi.map_or(0, |kibi| kibi.saturating_mul(1024))
}

/// `/proc/mounts` writes a space, a tab, a line end and a backslash as a backslash and three octal digits.
fn unescape(text: &str) -> String {
    let plain = text
        .replace("\\040", " ")
        .replace("\\011", "\t")
        .replace("\\012", "\n");
    plain.replace("\\134", "\\")
}

#[cfg(test)]
mod tests;
