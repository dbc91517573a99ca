//! Accepting connections. tonic's own loop retries at once and in silence when the machine is out
//! of file handles, and has no limit on connections; this one waits, says so, and has one.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::server::{Connected, TcpConnectInfo};

/// Accepted connections that wait for their handshake. Beyond them the kernel's queue holds more.
const ACCEPTED_MAX: usize = 64;

/// Pause after a failed accept, mostly for want of file handles.
const PAUSE: Duration = Duration::from_millis(50);

/// A connection that counts against the limit as long as it lives.
pub struct Connection {
    stream: TcpStream,
    _permit: OwnedSemaphorePermit,
}

/// The connections of a listener, at most `connections_max` at a time.
pub fn connections(
    listener: TcpListener,
    connections_max: usize,
) -> ReceiverStream<io::Result<Connection>> {
    let (queue, accepted) = mpsc::channel(ACCEPTED_MAX);
    let permits = Arc::new(Semaphore::new(connections_max.min(Semaphore::MAX_PERMITS)));
    tokio::spawn(async move {
        loop {
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
