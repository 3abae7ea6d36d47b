//! Real proxies before a portal, as people run them: the committed files of docs/deploy, with compression and with buffering. Without
//! TLS, which changes nothing in what they hand on; the tests in a browser have it.

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;
use testkit::rig::free_port;

use crate::waiting::eventually;

const NGINX: &str = include_str!("../../../docs/deploy/nginx.conf");
const HAPROXY: &str = include_str!("../../../docs/deploy/haproxy.cfg");

/// Everything is compressed, however short, and whatever it says of itself.
const NGINX_PACKS: &str =
    "gzip on;\ngzip_proxied any;\ngzip_min_length 1;\ngzip_types *;\nproxy_buffering on;\naccess_log off;\n";

/// So is everything that does not ask to be left as it is.
const HAPROXY_PACKS: &str = "mode http
    compression algo gzip
    compression type text/html text/plain application/json application/octet-stream
    bind";

/// Where programs of administrators are.
const PLACES: [&str; 4] = ["/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin"];

/// Which proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Nginx,
    Haproxy,
}

impl Kind {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::Haproxy => "haproxy",
        }
    }

    fn program(self) -> PathBuf {
        let name = self.name();
        let found = PLACES.iter().map(|place| Path::new(place).join(name)).find(|path| path.is_file());
        found.unwrap_or_else(|| panic!("{name} is not installed, and this test needs it: make setup-test installs it"))
    }

    fn configuration(self, folder: &Path, port: u16, portal: &str) -> String {
        match self {
            Self::Nginx => nginx(folder, port, portal),
            Self::Haproxy => haproxy(port, portal),
        }
    }

    fn command(self, folder: &Path, configuration: &Path) -> Command {
        let mut command = Command::new(self.program());
        match self {
            Self::Nginx => command.args(["-e", "stderr", "-p"]).arg(folder).arg("-c").arg(configuration),
            Self::Haproxy => command.args(["-db", "-f"]).arg(configuration),
        };
        command
    }
}

/// A proxy that ends with the test.
pub struct Proxy {
    child: Child,
    port: u16,
    _folder: TempDir,
}

impl Proxy {
    /// Starts one before a portal, whose address is `http://HOST:PORT`, and waits until it listens.
    pub fn start(kind: Kind, portal: &str) -> Self {
        let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
        let (configuration, said) = (folder.path().join("configuration"), folder.path().join("said"));
        std::fs::write(&configuration, kind.configuration(folder.path(), port, portal)).unwrap();
        let mut command = kind.command(folder.path(), &configuration);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(File::create(&said).unwrap());
        let mut proxy = Self { child: command.spawn().unwrap(), port, _folder: folder };
        eventually("the proxy listens", || {
            let ended = proxy.child.try_wait().unwrap();
            assert!(ended.is_none(), "{} ended: {}", kind.name(), std::fs::read_to_string(&said).unwrap());
            TcpStream::connect(proxy.address()).is_ok()
        });
        proxy
    }

    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A piece of a committed file in another wording; the file has to have it.
fn instead(text: &str, what: &str, other: &str) -> String {
    assert!(text.contains(what), "the file in docs/deploy has: {what}");
    text.replace(what, other)
}

fn nginx(folder: &Path, port: u16, portal: &str) -> String {
    let mut server = instead(NGINX, "listen 443 ssl;", &format!("listen 127.0.0.1:{port};"));
    server = instead(&server, "    ssl_certificate /etc/ssl/portal.pem;\n", "");
    server = instead(&server, "    ssl_certificate_key /etc/ssl/portal.key;\n", "");
    server = instead(&server, "server_name portal.example.com;", "server_name 127.0.0.1;");
    server = instead(&server, "http://127.0.0.1:3000", portal);
    let here = folder.display();
    let around = format!("daemon off;\nmaster_process off;\npid {here}/pid;\nerror_log stderr;\nevents {{}}\n");
    let folders = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    let folders = folders.map(|name| format!("{name}_temp_path {here}/{name};\n")).concat();
    format!("{around}http {{\n{folders}{NGINX_PACKS}{server}}}\n")
}

fn haproxy(port: u16, portal: &str) -> String {
    let host = portal.strip_prefix("http://").unwrap();
    let mut parts = instead(HAPROXY, "bind :443 ssl crt /etc/ssl/portal.pem", &format!("bind 127.0.0.1:{port}"));
    parts = instead(&parts, "server portal 127.0.0.1:3000 check", &format!("server portal {host}"));
    instead(&parts, "mode http\n    bind", HAPROXY_PACKS)
}
