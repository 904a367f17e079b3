//! The socket, and each connection to it, in plain or in TLS.

use std::fs::Permissions;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::transport::server::Connected;

/// The longest path that every system takes for a socket, with some room.
const LONGEST_PATH: usize = 96;

/// A client that has connected and then says nothing is not waited for longer.
const TLS_HANDSHAKE: Duration = Duration::from_secs(10);

/// A listening socket in a folder that only this user can enter. The folder goes away with it.
pub struct Socket {
    folder: TempDir,
    listener: UnixListener,
}

impl Socket {
    /// # Errors
    /// When no folder or socket can be made.
    pub fn open() -> io::Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("plugin")
            .permissions(Permissions::from_mode(0o700))
            .tempdir_in(parent_folder())?;
        let listener = UnixListener::bind(folder.path().join("s"))?;
        Ok(Self { folder, listener })
    }

    pub fn path(&self) -> PathBuf {
        self.folder.path().join("s")
    }

    /// Every client that is let in. Dropping the receiver ends the listening; the folder is kept by the guard.
    pub fn connections(self, tls: Option<TlsAcceptor>) -> (TempDir, mpsc::Receiver<Connection>) {
        let (send, receive) = mpsc::channel(16);
        tokio::spawn(accept(self.listener, tls, send));
        (self.folder, receive)
    }
}

/// The host may say where; a path that is too long for a socket falls back to the shortest place there is.
fn parent_folder() -> PathBuf {
    let wanted = std::env::var_os("PLUGIN_UNIX_SOCKET_DIR")
        .filter(|folder| !folder.is_empty())
        .map_or_else(std::env::temp_dir, PathBuf::from);
    let socket = "/plugin......../s".len();
    if wanted.as_os_str().len() + socket > LONGEST_PATH {
        return Path::new("/tmp").to_owned();
    }
    wanted
}

async fn accept(listener: UnixListener, tls: Option<TlsAcceptor>, send: mpsc::Sender<Connection>) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = send.closed() => return,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(why) => {
                // Out of file descriptors, most likely: others may be given back soon.
                tracing::warn!(%why, "a client could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let (tls, send) = (tls.clone(), send.clone());
        tokio::spawn(async move {
            if let Some(connection) = let_in(stream, tls).await {
                // Nobody takes it any more when the process is about to end.
                let _ = send.send(connection).await;
            }
        });
    }
}

async fn let_in(stream: UnixStream, tls: Option<TlsAcceptor>) -> Option<Connection> {
    let Some(tls) = tls else {
        return Some(Transport::Plain(stream).into());
    };
    match tokio::time::timeout(TLS_HANDSHAKE, tls.accept(stream)).await {
        Ok(Ok(stream)) => Some(Transport::Tls(Box::new(stream)).into()),
        Ok(Err(why)) => {
            tracing::warn!(%why, "a client was turned away");
            None
        }
        Err(_) => {
            tracing::warn!("a client was turned away: it did not finish the TLS handshake");
            None
        }
    }
}

/// One client.
pub struct Connection {
    stream: Transport,
    gone: Option<DropGuard>,
}

enum Transport {
    Plain(UnixStream),
    Tls(Box<TlsStream<UnixStream>>),
}

impl Connection {
    /// Cancels `token` when the client is gone.
    pub fn cancels_at_its_end(mut self, token: CancellationToken) -> Self {
        self.gone = Some(token.drop_guard());
        self
    }
}

impl From<Transport> for Connection {
    fn from(stream: Transport) -> Self {
        Self { stream, gone: None }
    }
}

impl Connected for Connection {
    type ConnectInfo = ();
    fn connect_info(&self) {}
}

impl AsyncRead for Connection {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut self.get_mut().stream {
            Transport::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
            Transport::Tls(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut self.get_mut().stream {
            Transport::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Transport::Tls(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().stream {
            Transport::Plain(stream) => Pin::new(stream).poll_flush(context),
            Transport::Tls(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().stream {
            Transport::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Transport::Tls(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match &mut self.get_mut().stream {
            Transport::Plain(stream) => Pin::new(stream).poll_write_vectored(context, parts),
            Transport::Tls(stream) => Pin::new(stream).poll_write_vectored(context, parts),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match &self.stream {
            Transport::Plain(stream) => stream.is_write_vectored(),
            Transport::Tls(stream) => stream.is_write_vectored(),
        }
    }
}
