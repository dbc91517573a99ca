//! Accepting connections. tonic's own loop retries at once and in silence when the machine is out
//! of file handles, and has no limit on connections; this one waits, says so, and has one. A connection
//! over which no call comes is given up, whatever it said or did not say before.

use super::gathered::Gathered;
use super::options::Options;
use crate::telemetry;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::{Instant, Sleep};
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::server::Connected;

/// Accepted connections that wait to be served. Beyond them the kernel's queue holds more.
const ACCEPTED_MAX: usize = 64;

/// Connections that the kernel holds until they are accepted, as far as `net.core.somaxconn` lets
/// it (4096 as a rule): after a break a whole city's devices come back at once. Beyond it they try
/// again by themselves after a second.
const BACKLOG: u32 = 16_384;

/// Connections that are accepted within [`ACCEPTED_TIME`] at most; more wait in the kernel's queue. When
/// a whole city's devices come back at once, their handshakes must not keep desks at work waiting.
const ACCEPTED_AT_ONCE_MAX: u32 = 100;
const ACCEPTED_TIME: Duration = Duration::from_millis(50);

/// Pause after a failed accept, mostly for want of file handles.
const PAUSE: Duration = Duration::from_millis(50);

/// Time between two lines of the log about the same: what happens thousands of times is counted.
const TOLD_EVERY: Duration = Duration::from_secs(10);

/// What happens often and is told now and then.
#[derive(Default)]
struct Seldom(Mutex<(Option<Instant>, u64)>);

impl Seldom {
    /// Counts one; now and then gives how many there were since it was told last.
    fn count(&self) -> Option<u64> {
        let mut told = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        told.1 += 1;
        if told.0.is_some_and(|last| last.elapsed() < TOLD_EVERY) {
            return None;
        }
        told.0 = Some(Instant::now());
        Some(std::mem::take(&mut told.1))
    }
}

/// Whether a call has come over a connection. Every request carries its connection's.
#[derive(Clone, Default)]
pub struct Called(Arc<AtomicBool>);

impl Called {
    /// A call has come.
    pub fn note(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn has_come(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// A connection that counts against the limit as long as it lives.
pub struct Connection {
    stream: Gathered<TcpStream>,
    called: Called,
    /// Until the first call: when the connection is given up without one.
    patience: Option<Pin<Box<Sleep>>>,
    /// The client has hung up.
    ended: bool,
    given_up: Arc<Seldom>,
    _permit: OwnedSemaphorePermit,
}

impl Connection {
    /// Nothing is there to be read: ends the connection when its first call is overdue. What is there is read
    /// first, so a client does not pay for a server that was late.
    fn wait_for_a_call(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Some(patience) = &mut self.patience else { return Poll::Pending };
        if self.called.has_come() {
            self.patience = None;
            return Poll::Pending;
        }
        ready!(patience.as_mut().poll(context));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "no call came")))
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        metrics::gauge!(telemetry::CONNECTIONS).decrement(1.0);
        if self.ended || self.called.has_come() {
            return;
        }
        metrics::counter!(telemetry::CONNECTIONS_UNCALLED_TOTAL).increment(1);
        if let Some(connections) = self.given_up.count() {
            tracing::warn!(connections, "connections over which no call came were given up");
        }
    }
}

/// Listens on an address, with room for many that come at once.
///
/// # Errors
/// When the address cannot be had.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // A service that starts again takes its address back at once.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// The connections of a listener, at most `connections_max` at a time.
pub fn connections(
    listener: TcpListener,
    options: &Options,
) -> ReceiverStream<io::Result<Connection>> {
    let (queue, accepted) = mpsc::channel(ACCEPTED_MAX);
    let door = Door::new(listener, options);
    tokio::spawn(async move {
        let (mut since, mut count) = (Instant::now(), 0);
        loop {
            if since.elapsed() >= ACCEPTED_TIME {
                (since, count) = (Instant::now(), 0);
            } else if count >= ACCEPTED_AT_ONCE_MAX {
                tokio::time::sleep_until(since + ACCEPTED_TIME).await;
                continue;
            }
            count += 1;
            let next = tokio::select! {
                next = door.accept() => next,
                () = queue.closed() => break,
            };
            match next {
                Ok(connection) => {
                    if queue.send(Ok(connection)).await.is_err() {
                        break;
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    });
    ReceiverStream::new(accepted)
}

/// Where connections come in.
struct Door {
    listener: TcpListener,
    permits: Arc<Semaphore>,
    connections_max: usize,
    first_call_max: Duration,
    full: Seldom,
    given_up: Arc<Seldom>,
}

impl Door {
    fn new(listener: TcpListener, options: &Options) -> Door {
        let connections_max = options.connections_max.min(Semaphore::MAX_PERMITS);
        Door {
            listener,
            permits: Arc::new(Semaphore::new(connections_max)),
            connections_max,
            first_call_max: Duration::from_millis(options.first_call_ms_max),
            full: Seldom::default(),
            given_up: Arc::default(),
        }
    }

    async fn accept(&self) -> io::Result<Connection> {
        // Accepted first: so it is known that somebody waits. It is one more than the limit, and the only one.
        let (stream, _) = self.listener.accept().await?;
        // Acknowledgements are small and must not wait for more to send.
        stream.set_nodelay(true)?;
        let permits = Arc::clone(&self.permits);
        let permit = match Arc::clone(&permits).try_acquire_owned() {
            Ok(permit) => permit,
            Err(_) => {
                metrics::counter!(telemetry::CONNECTIONS_WAITED_TOTAL).increment(1);
                if let Some(waited) = self.full.count() {
                    tracing::warn!(
                        waited,
                        connections_max = self.connections_max,
                        "as many connections are open as may be: new ones wait until one ends"
                    );
                }
                permits.acquire_owned().await.map_err(|_| io::Error::other("closed"))?
            }
        };
        metrics::gauge!(telemetry::CONNECTIONS).increment(1.0);
        Ok(Connection {
            stream: Gathered::new(stream),
            called: Called::default(),
            patience: Some(Box::pin(tokio::time::sleep(self.first_call_max))),
            ended: false,
            given_up: Arc::clone(&self.given_up),
            _permit: permit,
        })
    }
}

impl Connected for Connection {
    type ConnectInfo = Called;

    fn connect_info(&self) -> Called {
        self.called.clone()
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let (room, before) = (buffer.remaining(), buffer.filled().len());
        match Pin::new(&mut self.stream).poll_read(context, buffer) {
            Poll::Pending => self.wait_for_a_call(context),
            Poll::Ready(read) => {
                self.ended |= read.is_err() || (room > 0 && buffer.filled().len() == before);
                Poll::Ready(read)
            }
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
