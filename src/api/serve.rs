//! Binds both sockets, then serves them from threads of their own.

use alloc::{
    format,
    string::{String, ToString},
    sync::Arc,
    vec::Vec,
};
use core::{error, fmt, sync::atomic::AtomicBool};
use std::{
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    thread::{self, JoinHandle},
};

use super::{
    control_socket::ControlSocket,
    door::{self, Door},
    http::Http,
    socket_file::{self, SocketFile},
};
use crate::{bus::SnapshotReader, control::Requests};

/// Where to serve, and whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiConfig {
    /// `control.sock` in the runtime directory, which is made if it is not there.
    pub socket_path: PathBuf,
    /// The group whose members may read.
    pub group: String,
    /// Where Prometheus scrapes; `None` switches it off.
    pub metrics_listen: Option<SocketAddr>,
}

/// What serves. Both threads end soon after `stop` is set.
#[derive(Debug)]
pub struct ApiThreads {
    /// What the operator should know about access to the socket.
    pub warnings: Vec<String>,
    /// The address that metrics are served on: the configured one, with its port chosen if that was 0.
    pub metrics_address: Option<SocketAddr>,
    threads: Vec<JoinHandle<()>>,
    _socket: SocketFile,
}

impl ApiThreads {
    /// Waits for the threads to end; the caller has set `stop`. Removes the socket's file.
    ///
    /// # Errors
    /// [`ApiError::Thread`] where one ended by a panic.
    pub fn join(self) -> Result<(), ApiError> {
        let mut ends = self.threads.into_iter().map(JoinHandle::join);
        if ends.any(|end| end.is_err()) {
            return Err(ApiError::Thread {
                what: String::from("ended by a panic"),
            });
        }
        Ok(())
    }
}

/// Why nothing is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ApiError {
    /// Another gateway answers on this socket.
    AlreadyRuns {
        /// The socket.
        socket: PathBuf,
    },
    /// The control socket cannot be had.
    Socket {
        /// Where it was to be.
        path: PathBuf,
        /// What is in the way.
        what: String,
    },
    /// The metrics' address cannot be had.
    Metrics {
        /// The address.
        listen: SocketAddr,
        /// What is in the way.
        what: String,
    },
    /// A thread did not start or did not end well.
    Thread {
        /// What happened.
        what: String,
    },
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AlreadyRuns { socket } => {
                let name = socket
                    .parent()
                    .and_then(|directory| directory.file_name())
                    .map_or_else(
                        || socket.display().to_string(),
                        |name| name.display().to_string(),
                    );
                write!(
                    f,
                    "another gateway named {name} runs: it answers on {}; give this one another \
                     [gateway] name, or stop that one",
                    socket.display()
                )
            }
            Self::Socket { path, what } => write!(f, "control socket {}: {what}", path.display()),
            Self::Metrics { listen, what } => write!(
                f,
                "metrics on {listen}: {what}; give [metrics] another `listen`, or \"\" to switch them off"
            ),
            Self::Thread { what } => write!(f, "a thread of the management API: {what}"),
        }
    }
}

impl error::Error for ApiError {}

/// Binds the sockets, and only then starts the threads that serve them. The threads run where the
/// calling one may run.
///
/// # Errors
/// A socket that cannot be had, before any thread is started.
pub fn serve(
    config: &ApiConfig,
    readers: [SnapshotReader; 2],
    requests: Requests,
    stop: &Arc<AtomicBool>,
) -> Result<ApiThreads, ApiError> {
    let listener = config.metrics_listen.map(listen).transpose()?;
    let bound = socket_file::bind(&config.socket_path, &config.group)?;
    let metrics_address = listener
        .as_ref()
        .and_then(|listener| listener.local_addr().ok());
    let [for_api, for_metrics] = readers;
    let control = ControlSocket::new(bound.listener, bound.group, for_api, requests);
    let mut threads = Vec::from([start("api", control, stop)?]);
    if let Some(listener) = listener {
        threads.push(start("metrics", Http::new(listener, for_metrics), stop)?);
    }
    Ok(ApiThreads {
        warnings: bound.warning.into_iter().collect(),
        metrics_address,
        threads,
        _socket: bound.file,
    })
}

fn listen(address: SocketAddr) -> Result<TcpListener, ApiError> {
    TcpListener::bind(address)
        .and_then(|listener| listener.set_nonblocking(true).map(|()| listener))
        .map_err(|error| ApiError::Metrics {
            listen: address,
            what: error.to_string(),
        })
}

fn start(
    name: &str,
    door: impl Door + Send + 'static,
    stop: &Arc<AtomicBool>,
) -> Result<JoinHandle<()>, ApiError> {
    let stop = Arc::clone(stop);
    thread::Builder::new()
        .name(name.to_string())
        .spawn(move || door::run(door, &stop))
        .map_err(|error| ApiError::Thread {
            what: format!("{name} does not start: {error}"),
        })
}
