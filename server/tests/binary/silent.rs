//! Readers that ask for the first attempt of step 1 and never read what they are sent, and one that reads a byte a second.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::process::Served;
use crate::waiting::PATIENCE;

/// A reader that the portal has answered.
pub enum Reader {
    /// Never reads. The connection stays open until this goes away.
    Silent(TcpStream),
    /// Reads a byte a second, until it is told to go.
    Slow(Sender<()>, JoinHandle<usize>),
}

impl Reader {
    /// One with the stream of a page.
    pub fn page(portal: &Served, cookie: &str, run: &str) -> Self {
        let mut stream = portal.connect();
        let form = format!("run={run}&cursor[version]=0&cursor[step]=1&cursor[attempt]=1&cursor[offset]=0");
        let (address, host) = (&portal.address, portal.host());
        write!(
            stream,
            "POST /api/runs/watch HTTP/1.1\r\nHost: {host}\r\nOrigin: {address}\r\nCookie: {cookie}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
            form.len()
        )
        .unwrap();
        Self::Silent(answered(stream))
    }

    /// One with the raw output, until it ends.
    pub fn script(portal: &Served, cookie: &str, run: &str) -> Self {
        Self::Silent(raw_output(portal, cookie, run))
    }

    /// One with the raw output, too, which reads it slowly.
    pub fn slow(portal: &Served, cookie: &str, run: &str) -> Self {
        let mut stream = raw_output(portal, cookie, run);
        let (go, goes) = channel();
        let reads = std::thread::spawn(move || {
            let mut bytes = 0;
            loop {
                stream.read_exact(&mut [0]).unwrap();
                bytes += 1;
                if goes.recv_timeout(Duration::from_secs(1)) != Err(RecvTimeoutError::Timeout) {
                    return bytes;
                }
            }
        });
        Self::Slow(go, reads)
    }

    /// Goes away.
    pub fn leave(self) {
        match self {
            Self::Silent(stream) => drop(stream),
            Self::Slow(go, reads) => {
                drop(go);
                assert!(reads.join().unwrap() > 0, "it has read until the end");
            }
        }
    }
}

fn raw_output(portal: &Served, cookie: &str, run: &str) -> TcpStream {
    let mut stream = portal.connect();
    let (path, host) = (format!("/runs/{run}/output/1/1?follow=1"), portal.host());
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\n\r\n").unwrap();
    answered(stream)
}

/// Waits until the answer has begun, and leaves it where it is.
fn answered(stream: TcpStream) -> TcpStream {
    let mut head = [0; 12];
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let count = stream.peek(&mut head).unwrap();
    assert_eq!(&head[..count], b"HTTP/1.1 200");
    stream
}
