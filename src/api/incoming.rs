//! Accepting connections. tonic's own loop retries at once and in silence when the machine is out
//! of file handles, and has no limit on connections; this one waits, says so, and has one.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::Instant;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::server::{Connected, TcpConnectInfo};

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

/// A connection that counts against the limit as long as it lives.
pub struct Connection {
    stream: TcpStream,
    _permit: OwnedSemaphorePermit,
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
    connections_max: usize,
) -> ReceiverStream<io::Result<Connection>> {
    let (queue, accepted) = mpsc::channel(ACCEPTED_MAX);
    let permits = Arc::new(Semaphore::new(connections_max.min(Semaphore::MAX_PERMITS)));
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
                next = accept(&listener, &permits) => next,
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

async fn accept(listener: &TcpListener, permits: &Arc<Semaphore>) -> io::Result<Connection> {
    let permit =
        Arc::clone(permits).acquire_owned().await.map_err(|_| io::Error::other("closed"))?;
    let (stream, _) = listener.accept().await?;
    // Acknowledgements are small and must not wait for more to send.
    stream.set_nodelay(true)?;
    Ok(Connection { stream, _permit: permit })
}

impl Connected for Connection {
    type ConnectInfo = TcpConnectInfo;

    fn connect_info(&self) -> TcpConnectInfo {
        self.stream.connect_info()
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
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
