//! What cannot be beaten on this machine: the same bytes without a portal.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::pty::OpenptFlags;
use rustix::termios::{LocalModes, OptionalActions, OutputModes};

use crate::figures::ms;

const READ: usize = 64 << 10;

/// From the start of a script until its last byte came over local TCP. With a file it is stored there first.
pub fn by_tcp(script: &str, bytes: u64, stored: Option<&Path>) -> f64 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let viewer = std::thread::spawn(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        let mut buffer = vec![0; READ];
        let mut read = 0;
        loop {
            match stream.read(&mut buffer).unwrap() {
                0 => return (read, Instant::now()),
                count => read += count as u64,
            }
        }
    });
    let (mut stream, _) = listener.accept().unwrap();
    let mut file = stored.map(|path| File::create(path).unwrap());
    let begun = Instant::now();
    let mut shell = Command::new("bash").args(["-c", script]).stdout(Stdio::piped()).spawn().unwrap();
    let mut output = shell.stdout.take().unwrap();
    let mut buffer = vec![0; READ];
    loop {
        let count = output.read(&mut buffer).unwrap();
        if count == 0 {
            break;
        }
        if let Some(file) = &mut file {
            file.write_all(&buffer[..count]).unwrap();
        }
        stream.write_all(&buffer[..count]).unwrap();
    }
    drop(stream);
    let (read, ended) = viewer.join().unwrap();
    shell.wait().unwrap();
    assert_eq!(read, bytes, "complete");
    ms(ended - begun)
}

/// From the start of a script until its last byte was read from a bare terminal without output processing.
pub fn by_terminal(script: &str, bytes: u64) -> f64 {
    let master = rustix::pty::openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
    rustix::pty::grantpt(&master).unwrap();
    rustix::pty::unlockpt(&master).unwrap();
    let end = rustix::pty::ioctl_tiocgptpeer(&master, OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    let mut modes = rustix::termios::tcgetattr(&end).unwrap();
    modes.output_modes.remove(OutputModes::OPOST);
    modes.local_modes.remove(LocalModes::ECHO);
    rustix::termios::tcsetattr(&end, OptionalActions::Now, &modes).unwrap();
    let side = || Stdio::from(end.try_clone().unwrap());
    let begun = Instant::now();
    let mut shell =
        Command::new("bash").args(["-c", script]).stdin(side()).stdout(side()).stderr(side()).spawn().unwrap();
    drop(end);
    let read = read_to_the_end(master);
    let took = begun.elapsed();
    shell.wait().unwrap();
    assert_eq!(read, bytes, "complete");
    ms(took)
}

/// A terminal whose last process has gone says so with an error.
fn read_to_the_end(master: OwnedFd) -> u64 {
    let mut file = File::from(master);
    let (mut buffer, mut bytes) = (vec![0; READ], 0);
    while let Ok(count @ 1..) = file.read(&mut buffer) {
        bytes += count as u64;
    }
    bytes
}

/// From the start of `echo` in a shell until its output is there, and three durable writes.
pub fn echo_and_three_commits(folder: &Path) -> f64 {
    let begun = Instant::now();
    let output = Command::new("bash").args(["-c", "echo one"]).output().unwrap();
    assert_eq!(output.stdout, b"one\n");
    let echoed = begun.elapsed();
    ms(echoed + three_commits(folder))
}

fn three_commits(folder: &Path) -> Duration {
    let mut file = File::create(folder.join("commits")).unwrap();
    let begun = Instant::now();
    for _ in 0..3 {
        file.write_all(&[7; 4096]).unwrap();
        file.sync_data().unwrap();
    }
    begun.elapsed()
}
