//! Connections and calls at the level of HTTP/2. tonic's client costs as much as a small server
//! does, and keeps tens of kilobytes for each connection; here a call is a stream of frames and a
//! connection little more than its socket, so that one machine can be 26,000 devices.

use crate::encode::FRAME_BYTES;
use anyhow::{Context, Result};
use bytes::{Bytes, BytesMut};
use h2::client::{ResponseFuture, SendRequest};
use h2::{RecvStream, SendStream};
use http::{HeaderMap, HeaderValue, Request};
use rustls::pki_types::ServerName;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tonic::{Code, Status};

/// The stream of facts.
pub const RECORD: &str = "/swabline.v1.Recording/Record";

/// Connections from one address of this machine; the system has about 28,000 ports for each.
const CONNECTIONS_PER_ADDRESS: u32 = 10_000;
/// What may be on its way to this client on one connection and one stream: hundreds of answers.
const WINDOW_BYTES: u32 = 64 * 1024;
/// Small frames that may wait unread in a connection. They are answers, which this client reads.
const SMALL_FRAMES_BYTES: usize = 1 << 30;

/// Where a server is and how it is spoken to.
#[derive(Clone)]
pub struct Address {
    /// Its socket.
    pub socket: SocketAddr,
    /// Host and port, as they stand in its address.
    pub authority: String,
    /// What encrypts, and the name in the certificate.
    pub tls: Option<(TlsConnector, ServerName<'static>)>,
}

/// Makes connections to a server.
#[derive(Clone)]
pub struct Dialer(Arc<Dial>);

struct Dial {
    address: Address,
    bearer: Option<HeaderValue>,
    /// Addresses of this machine that connections come from; 1 = whatever the system takes.
    sources: u32,
    patience: Duration,
}

impl Dialer {
    /// Connections to this server, up to so many at a time; each may take so long.
    pub fn new(
        address: Address,
        token: Option<&str>,
        connections: u32,
        patience: Duration,
    ) -> Result<Dialer> {
        let bearer = token.map(|token| HeaderValue::try_from(format!("Bearer {token}")));
        let bearer = bearer.transpose().context("a token is made of visible ASCII")?;
        let sources = sources(address.socket, connections);
        Ok(Dialer(Arc::new(Dial { address, bearer, sources, patience })))
    }

    /// Opens the connection of this number.
    pub async fn line(&self, number: u32) -> Result<Line, Broken> {
        let opened = timeout(self.0.patience, self.open(number)).await;
        opened.unwrap_or_else(|_| Err(Broken::Line("no connection in time".to_owned())))
    }

    async fn open(&self, number: u32) -> Result<Line, Broken> {
        let address = &self.0.address;
        let stream = connect(address.socket, source(number, self.0.sources)).await;
        let stream = stream.map_err(|error| Broken::Line(format!("cannot connect: {error}")))?;
        let sender = match &address.tls {
            None => shake_hands(stream).await?,
            Some((tls, name)) => {
                let stream = tls.connect(name.clone(), stream).await;
                let broken = |error| Broken::Line(format!("TLS: {error}"));
                shake_hands(stream.map_err(broken)?).await?
            }
        };
        Ok(Line { sender, dial: self.0.clone() })
    }
}

/// Addresses of this machine that so many connections come from; 1 = whatever the system takes.
pub fn sources(to: SocketAddr, connections: u32) -> u32 {
    match to.ip() {
        IpAddr::V4(ip) if ip.is_loopback() => {
            connections.div_ceil(CONNECTIONS_PER_ADDRESS).min(200)
        }
        _ => 1,
    }
}

/// The address of this machine that a connection comes from.
pub fn source(number: u32, sources: u32) -> Option<Ipv4Addr> {
    let last = u8::try_from(1 + number % sources.max(1)).unwrap_or(1);
    (sources > 1).then(|| Ipv4Addr::new(127, 0, 0, last))
}

async fn connect(to: SocketAddr, from: Option<Ipv4Addr>) -> std::io::Result<TcpStream> {
    let socket = if to.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    if let Some(from) = from {
        socket.bind(SocketAddr::from((from, 0)))?;
    }
    let stream = socket.connect(to).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

async fn shake_hands<T>(stream: T) -> Result<SendRequest<Bytes>, Broken>
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (sender, connection) = h2::client::Builder::new()
        .initial_window_size(WINDOW_BYTES)
        .initial_connection_window_size(WINDOW_BYTES)
        .data_frame_budget(SMALL_FRAMES_BYTES)
        .enable_push(false)
        .handshake(stream)
        .await?;
    // Ends when nobody holds the connection any more; its streams tell what broke.
    tokio::spawn(async move {
        let _ = connection.await;
    });
    Ok(sender)
}

/// A connection. Clones share it; it ends with the last of them and the last of its calls.
#[derive(Clone)]
pub struct Line {
    sender: SendRequest<Bytes>,
    dial: Arc<Dial>,
}

impl Line {
    /// Begins a call.
    pub async fn call(&self, path: &str) -> Result<Talk, Broken> {
        let address = &self.dial.address;
        let scheme = if address.tls.is_some() { "https" } else { "http" };
        let mut request = Request::post(format!("{scheme}://{}{path}", address.authority))
            .header("content-type", "application/grpc")
            .header("te", "trailers");
        if let Some(bearer) = &self.dial.bearer {
            request = request.header("authorization", bearer.clone());
        }
        let request = request.body(()).map_err(|error| Broken::Line(error.to_string()))?;
        let mut sender = self.sender.clone().ready().await?;
        let (response, out) = sender.send_request(request, false)?;
        Ok(Talk { out, answers: Answers { state: State::Begins(response), unread: Bytes::new() } })
    }

    /// A call with one message each way; gives the answer without its frame.
    pub async fn ask(&self, path: &str, framed: Bytes) -> Result<Bytes, Broken> {
        let mut talk = self.call(path).await?;
        talk.out.send_data(framed, true)?;
        let answer = talk.answers.next().await?;
        // To the end of the call: to leave before its status has come is to cancel it, and a connection on which too
        // many are cancelled is given up.
        while talk.answers.next().await?.is_some() {}
        answer.ok_or_else(|| Broken::Line("no answer".to_owned()))
    }
}

/// A call: what goes out, and what comes back.
pub struct Talk {
    /// Takes framed messages. What the connection does not take yet waits in memory: whoever sends
    /// limits the messages without an answer.
    pub out: SendStream<Bytes>,
    /// Gives messages.
    pub answers: Answers,
}

/// The messages that come back.
pub struct Answers {
    state: State,
    /// The beginning of a message.
    unread: Bytes,
}

enum State {
    Begins(ResponseFuture),
    Goes(RecvStream),
}

impl Answers {
    /// The next message without its frame; `None` at a good end. Nothing is lost when the wait for it
    /// is given up.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Broken> {
        loop {
            if let Some(message) = whole_message(&mut self.unread) {
                return Ok(Some(message));
            }
            match &mut self.state {
                State::Begins(response) => {
                    let (head, body) = response.await?.into_parts();
                    if head.status != http::StatusCode::OK {
                        return Err(Broken::Line(format!("the server answers {}", head.status)));
                    }
                    self.state = State::Goes(body);
                    // A call that fails at once has its status in the head.
                    if head.headers.contains_key("grpc-status") {
                        status(&head.headers)?;
                    }
                }
                State::Goes(body) => match body.data().await {
                    Some(chunk) => {
                        let chunk = chunk?;
                        body.flow_control().release_capacity(chunk.len())?;
                        self.unread = joined(std::mem::take(&mut self.unread), chunk);
                    }
                    None => {
                        if let Some(trailers) = body.trailers().await? {
                            status(&trailers)?;
                        }
                        return Ok(None);
                    }
                },
            }
        }
    }
}

/// Takes a message off, once all of it is there.
fn whole_message(unread: &mut Bytes) -> Option<Bytes> {
    let length = unread.get(1..FRAME_BYTES)?.try_into().ok().map(u32::from_be_bytes)?;
    let end = FRAME_BYTES + usize::try_from(length).ok()?;
    (unread.len() >= end).then(|| unread.split_to(end).split_off(FRAME_BYTES))
}

/// Both parts in a row. Mostly there is but one.
fn joined(first: Bytes, second: Bytes) -> Bytes {
    if first.is_empty() {
        return second;
    }
    let mut both = BytesMut::with_capacity(first.len() + second.len());
    both.extend_from_slice(&first);
    both.extend_from_slice(&second);
    both.freeze()
}

/// How a call ended, by the headers that say it.
fn status(headers: &HeaderMap) -> Result<(), Broken> {
    // tonic reads the message as it was written: percent signs before every byte that is no plain letter.
    match Status::from_header_map(headers) {
        Some(status) if status.code() == Code::Ok => Ok(()),
        Some(status) if status.message().is_empty() => {
            Err(Broken::Status(status.code(), "without a message".to_owned()))
        }
        Some(status) => Err(Broken::Status(status.code(), status.message().to_owned())),
        None => Err(Broken::Status(Code::Unknown, "without a status".to_owned())),
    }
}

/// Why a call or a connection broke.
#[derive(Clone, Debug)]
pub enum Broken {
    /// The connection.
    Line(String),
    /// The server ended the call.
    Status(Code, String),
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Broken::Line(text) => f.write_str(text),
            Broken::Status(code, message) => write!(f, "{code:?}: {message}"),
        }
    }
}

impl std::error::Error for Broken {}

impl From<h2::Error> for Broken {
    fn from(error: h2::Error) -> Broken {
        Broken::Line(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_connections_come_from_many_addresses() {
        assert_eq!(source(5, 1), None);
        assert_eq!(source(0, 3), Some(Ipv4Addr::LOCALHOST));
        assert_eq!(source(5, 3), Some(Ipv4Addr::new(127, 0, 0, 3)));
        let address = |socket: &str| Address {
            socket: socket.parse().unwrap(),
            authority: socket.to_owned(),
            tls: None,
        };
        let sources = |socket: &str, connections| {
            Dialer::new(address(socket), None, connections, Duration::ZERO).unwrap().0.sources
        };
        assert_eq!(sources("127.0.0.1:1", 28_000), 3);
        assert_eq!(sources("127.0.0.1:1", 64), 1);
        assert_eq!(sources("192.0.2.1:1", 28_000), 1);
    }

    #[test]
    fn a_status_is_read_from_its_headers() {
        let mut headers = HeaderMap::new();
        headers.insert("grpc-status", HeaderValue::from_static("0"));
        assert!(status(&headers).is_ok());
        headers.insert("grpc-status", HeaderValue::from_static("8"));
        headers.insert("grpc-message", HeaderValue::from_static("too%20busy"));
        let broken = |headers: &HeaderMap| status(headers).unwrap_err().to_string();
        assert_eq!(broken(&headers), "ResourceExhausted: too busy");
        let chinese = "%E6%95%B0%E6%8D%AE 100%25, full";
        headers.insert("grpc-message", HeaderValue::from_static(chinese));
        assert_eq!(broken(&headers), "ResourceExhausted: 数据 100%, full");
        headers.remove("grpc-message");
        assert_eq!(broken(&headers), "ResourceExhausted: without a message");
        assert_eq!(broken(&HeaderMap::new()), "Unknown: without a status");
    }

    #[test]
    fn messages_are_found_however_they_are_cut() {
        let framed = |text: &[u8]| {
            let mut all = vec![0];
            all.extend_from_slice(&u32::try_from(text.len()).unwrap().to_be_bytes());
            all.extend_from_slice(text);
            all
        };
        let all = [framed(b"first"), framed(b""), framed(b"third")].concat();
        for cut in 0..all.len() {
            let (front, back) = all.split_at(cut);
            let mut unread = Bytes::new();
            let mut found = Vec::new();
            for part in [front, back] {
                unread = joined(unread, Bytes::copy_from_slice(part));
                while let Some(message) = whole_message(&mut unread) {
                    found.push(message);
                }
            }
            assert_eq!(found, [&b"first"[..], b"", b"third"], "{cut}");
        }
    }
}
