//! The thread that writes one link's identity: a disk that takes its time holds up no MKPDU.
//!
//! MKA Life Time is 6 s, and a disk that others keep busy may take longer for one write. Control would be deaf
//! meanwhile, and every link would lose its session.

use std::{
    io,
    sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, channel, sync_channel},
    thread::{Builder, JoinHandle},
    time::Duration,
};

use crate::state::{KeptError, MkaIdentity};

/// What a write came to.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) generation: u64,
    pub(super) result: Result<(), KeptError>,
}

/// What there is to know of a write.
#[derive(Debug)]
pub(super) enum Progress {
    /// It is done.
    Done(Written),
    /// It goes on.
    Writing,
    /// Nobody writes any more.
    Ended,
}

/// The thread. One write at a time; when this is dropped, the last one is done.
#[derive(Debug)]
pub(super) struct Writer {
    jobs: Option<SyncSender<MkaIdentity>>,
    done: Receiver<Written>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread; `save` is called on it.
    ///
    /// # Errors
    /// The system has no room for another thread.
    pub(super) fn start(
        save: impl Fn(&MkaIdentity) -> Result<(), KeptError> + Send + 'static,
    ) -> io::Result<Self> {
        let (jobs, asked) = sync_channel::<MkaIdentity>(1);
        let (tell, done) = channel();
        let work = move || {
            for identity in asked {
                let generation = identity.generation;
                let result = save(&identity);
                if tell.send(Written { generation, result }).is_err() {
                    return;
                }
            }
        };
        let thread = Builder::new().name(String::from("identity")).spawn(work)?;
        Ok(Self {
            jobs: Some(jobs),
            done,
            thread: Some(thread),
        })
    }

    /// Has it written; `false` if nobody does, or there is a write to be awaited first.
    pub(super) fn write(&self, identity: MkaIdentity) -> bool {
        let jobs = self.jobs.as_ref();
        jobs.is_some_and(|jobs| jobs.try_send(identity).is_ok())
    }

    /// How the write goes, after so long at the most.
    pub(super) fn progress(&self, patience: Duration) -> Progress {
        match self.done.recv_timeout(patience) {
            Ok(written) => Progress::Done(written),
            Err(RecvTimeoutError::Timeout) => Progress::Writing,
            Err(RecvTimeoutError::Disconnected) => Progress::Ended,
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            // Whether it went well, nobody asks any more.
            let _ = thread.join();
        }
    }
}
