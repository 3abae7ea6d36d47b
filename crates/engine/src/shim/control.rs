//! The shim's socket: who may speak to it, and how requests are read.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use domain::attempt::WorkCommand;
use rustix::event::{PollFd, PollFlags};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
use rustix::process::Pid;

use crate::folder::CONTROL;
use crate::record::{Answer, Steer};

/// Longer than that no request is.
const LONGEST: usize = 64 << 10;
/// More peers than that are not heard at the same time.
const PEERS: usize = 8;

/// Bytes of one line of input; a terminal holds its end besides, and no more.
const LINE: usize = 4094;

/// Listens in the present folder.
pub(crate) struct Control {
    listener: OwnedFd,
    peers: Vec<Peer>,
}

/// What decides whether a request can be followed now.
pub(crate) struct Standing<'a> {
    /// The command that runs.
    pub running: Option<&'a WorkCommand>,
    /// There is a terminal to type into.
    pub tty: bool,
    /// The operator has the full keyboard.
    pub interactive: bool,
    /// What was typed before has not been taken yet.
    pub busy: bool,
    /// Whether a full-screen program has the terminal.
    pub has_screen: &'a dyn Fn() -> bool,
    /// Whether the terminal hands over single keys.
    pub takes_keys: &'a dyn Fn() -> bool,
}

impl Standing<'_> {
    pub(crate) fn answer(&self, request: &Steer) -> Answer {
        let refusal = match request {
            Steer::Stop => None,
            Steer::EndWatch { command } => (!self.runs(*command).is_some_and(|running| running.watch))
                .then_some("This watch does not run now. The step can be stopped as a whole."),
            Steer::Input { command, line } => self.refuses(*command).or_else(|| self.refuses_line(line)),
            Steer::Key { command, .. } => self.refuses(*command).or_else(|| self.refuses_key()),
            Steer::Keys { command, bytes } => self.refuses(*command).or_else(|| self.refuses_keys(bytes)),
        };
        refusal.map_or(Answer::Done, Answer::refused)
    }

    fn runs(&self, number: u32) -> Option<&WorkCommand> {
        self.running.filter(|running| running.number == number)
    }

    /// Why nothing at all can be typed for a command.
    fn refuses(&self, command: u32) -> Option<&'static str> {
        if !self.tty {
            return Some("This step runs without a terminal and takes no input. Nothing was typed.");
        }
        if self.runs(command).is_none() {
            return Some("This command does not run now. Nothing was typed.");
        }
        self.busy.then_some("The program has not taken yet what was typed before. Nothing more was typed.")
    }

    fn refuses_line(&self, line: &str) -> Option<&'static str> {
        if line.len() > LINE {
            Some("One line at a time, at most 4094 bytes. Nothing was typed.")
        } else if line.chars().any(char::is_control) {
            Some("A line holds no control characters. Nothing was typed.")
        } else if (self.has_screen)() {
            Some("A full-screen program runs: it takes the key q and Ctrl-C, and no lines. Nothing was typed.")
        } else {
            None
        }
    }

    fn refuses_key(&self) -> Option<&'static str> {
        let takes_it = (self.takes_keys)() || (self.has_screen)();
        (!takes_it).then_some("No program that takes single keys runs now. Nothing was typed.")
    }

    fn refuses_keys(&self, bytes: &[u8]) -> Option<&'static str> {
        if !self.interactive {
            Some(
                "This step has no full keyboard: its side file does not say that it is interactive. Nothing was typed.",
            )
        } else if bytes.len() > LINE {
            Some("At most 4094 bytes at once. Nothing was typed.")
        } else {
            None
        }
    }
}

struct Peer {
    socket: OwnedFd,
    heard: Vec<u8>,
    over: bool,
}

impl Control {
    /// Binds `control.sock`. The name is relative, so that no path is too long for a socket.
    pub(crate) fn listen() -> io::Result<Self> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let listener = rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
        // That of a shim which has died.
        let _ = std::fs::remove_file(CONTROL);
        rustix::net::bind(&listener, &SocketAddrUnix::new(CONTROL)?)?;
        rustix::fs::chmod(CONTROL, rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR)?;
        rustix::net::listen(&listener, 16)?;
        Ok(Self { listener, peers: Vec::new() })
    }

    /// What to wait for.
    pub(crate) fn interests(&self) -> impl Iterator<Item = PollFd<'_>> {
        let listener = (self.peers.len() < PEERS).then(|| self.listener.as_fd());
        let peers = self.peers.iter().map(|peer| peer.socket.as_fd());
        listener.into_iter().chain(peers).map(|socket: BorrowedFd<'_>| PollFd::from_borrowed_fd(socket, PollFlags::IN))
    }

    /// Hears every peer and answers each request; peers that `may` does not know are sent away.
    pub(crate) fn serve(&mut self, may: impl Fn(Pid) -> bool, mut answer: impl FnMut(Steer) -> Answer) {
        while self.peers.len() < PEERS {
            let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
            let Ok(socket) = rustix::net::accept_with(&self.listener, flags) else { break };
            if is_own(&socket, &may) {
                self.peers.push(Peer { socket, heard: Vec::new(), over: false });
            }
        }
        for peer in &mut self.peers {
            peer.hear();
            while let Some(end) = peer.heard.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = peer.heard.drain(..=end).collect();
                let reply = match serde_json::from_slice(&line) {
                    Ok(request) => answer(request),
                    Err(_) => Answer::refused("This request is not known here; the portal is newer than this step."),
                };
                peer.tell(&reply);
            }
        }
        self.peers.retain(|peer| !peer.over);
    }
}

impl Peer {
    fn hear(&mut self) {
        let mut buffer = [0; 4096];
        while !self.over {
            match rustix::io::read(&self.socket, &mut buffer) {
                Ok(0) => self.over = true,
                Ok(count) => self.heard.extend_from_slice(buffer.get(..count).unwrap_or_default()),
                Err(rustix::io::Errno::AGAIN) => break,
                Err(_) => self.over = true,
            }
            self.over |= self.heard.len() > LONGEST;
        }
    }

    /// An answer is shorter than any socket's buffer; who does not read it does not get it.
    fn tell(&mut self, answer: &Answer) {
        let mut line = serde_json::to_vec(answer).expect("an answer is always JSON");
        line.push(b'\n');
        self.over |= rustix::net::send(&self.socket, &line, rustix::net::SendFlags::NOSIGNAL).is_err();
    }
}

/// Only the portal's own user is heard, and no process of the attempt itself.
fn is_own(socket: &OwnedFd, may: impl Fn(Pid) -> bool) -> bool {
    rustix::net::sockopt::socket_peercred(socket)
        .is_ok_and(|peer| peer.uid == rustix::process::geteuid() && may(peer.pid))
}
