//! A file system in memory that a test stops at any call, and then crashes.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::disk::Disk;

/// Content of a file as it reads now, and as a crash would leave it.
type Content = Rc<RefCell<(Vec<u8>, Vec<u8>)>>;

/// A disk that forgets in a crash whatever was not synced, and stops after so many calls.
#[derive(Clone, Default)]
pub(super) struct ModelDisk {
    names: Rc<RefCell<BTreeMap<PathBuf, Content>>>,
    synced_names: Rc<RefCell<BTreeMap<PathBuf, Content>>>,
    pub(super) calls_left: Rc<Cell<Option<usize>>>,
}

/// What of the unsynced a crash keeps. File systems differ, so all must be safe.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Crash {
    /// Everything.
    KeepsAll,
    /// Names without the content behind them.
    KeepsNames,
    /// Nothing.
    LosesAll,
    /// Names, and half of each unsynced content.
    Tears,
}

pub(super) const CRASHES: [Crash; 4] = [
    Crash::KeepsAll,
    Crash::KeepsNames,
    Crash::LosesAll,
    Crash::Tears,
];

impl ModelDisk {
    pub(super) fn stopping_after(&self, calls: usize) -> Self {
        self.calls_left.set(Some(calls));
        self.clone()
    }

    fn step(&self) -> io::Result<()> {
        match self.calls_left.get() {
            Some(0) => Err(io::Error::other("the power is out")),
            left => {
                self.calls_left.set(left.map(|left| left - 1));
                Ok(())
            }
        }
    }

    /// The disk after a restart.
    pub(super) fn crash(&self, crash: Crash) -> Self {
        let names = match crash {
            Crash::LosesAll => self.synced_names.borrow(),
            _ => self.names.borrow(),
        };
        let after: BTreeMap<PathBuf, Content> = names
            .iter()
            .map(|(path, content)| {
                let (now, synced) = &*content.borrow();
                let content = match crash {
                    Crash::KeepsAll => now.clone(),
                    Crash::Tears if now != synced => now[..now.len() / 2].to_vec(),
                    _ => synced.clone(),
                };
                let content = Rc::new(RefCell::new((content.clone(), content)));
                (path.clone(), content)
            })
            .collect();
        Self {
            names: Rc::new(RefCell::new(after.clone())),
            synced_names: Rc::new(RefCell::new(after)),
            calls_left: Rc::default(),
        }
    }
}

impl Disk for ModelDisk {
    fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>> {
        self.step()?;
        let names = self.names.borrow();
        Ok(names.get(path).map(|content| content.borrow().0.clone()))
    }

    fn names(&self, _directory: &Path) -> io::Result<Vec<String>> {
        self.step()?;
        let names = self.names.borrow();
        let last = |path: &PathBuf| path.file_name().unwrap().to_str().unwrap().to_owned();
        Ok(names.keys().map(last).collect())
    }

    fn write(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        let stopped = self.step();
        let mut names = self.names.borrow_mut();
        // The call that the crash falls into has written a part.
        let written = if stopped.is_ok() {
            content
        } else {
            &content[..content.len() / 3]
        };
        let file = names.entry(path.to_path_buf()).or_default();
        file.borrow_mut().0 = written.to_vec();
        stopped
    }

    fn sync_file(&self, path: &Path) -> io::Result<()> {
        self.step()?;
        let names = self.names.borrow();
        let mut content = names.get(path).unwrap().borrow_mut();
        content.1 = content.0.clone();
        Ok(())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.step()?;
        let mut names = self.names.borrow_mut();
        let content = names.remove(from).unwrap();
        names.insert(to.to_path_buf(), content);
        Ok(())
    }

    fn sync_directory(&self, _directory: &Path) -> io::Result<()> {
        self.step()?;
        let names = self.names.borrow().clone();
        *self.synced_names.borrow_mut() = names;
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.step()?;
        self.names.borrow_mut().remove(path);
        Ok(())
    }
}
