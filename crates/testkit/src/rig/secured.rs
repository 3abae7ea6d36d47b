//! A server of TLS with a certificate of its own.

use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use super::free_port;

/// A server with a certificate that openssl has made, as long as it is held.
#[derive(Debug)]
pub struct Secured {
    /// Its host and port.
    pub place: String,
    server: Child,
    _certificate: TempDir,
}

impl Secured {
    /// One whose certificate is good for some days.
    ///
    /// # Panics
    ///
    /// Without openssl, or when the server ends.
    pub fn with(days: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (key, certificate) = (folder.path().join("key"), folder.path().join("cert"));
        let made = Command::new("openssl")
            .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-days", days])
            .args([Path::new("-keyout"), &key, Path::new("-out"), &certificate])
            .output()
            .expect("openssl makes certificates");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let place = format!("127.0.0.1:{}", free_port());
        let mut server = Command::new("openssl")
            .args(["s_server", "-www", "-accept", &place])
            .args([Path::new("-key"), &key, Path::new("-cert"), &certificate])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("openssl serves");
        while TcpStream::connect(&place).is_err() {
            let ended = server.try_wait().expect("it is asked for");
            assert!(ended.is_none(), "the server has ended: {ended:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
        Self { place, server, _certificate: folder }
    }
}

impl Drop for Secured {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}
