//! The bridge into a container: a program that runs there, with the standard streams of a process that runs here.
//!
//! It is the portal's binary in another mode, `runbook-portal __exec CONTAINER PROGRAM ARGUMENT…`, and what `ssh` is for another
//! machine. The container is found when the bridge is built, by the JSON of [`domain::target::Container`]. Standard input goes to
//! the program until its end, which the program then sees, too; what the program prints goes to standard output and standard
//! error, never more than one read of it is held, and a reader that does not read halts the program. The bridge ends with the
//! program's own exit code.
//!
//! It ends with a sentence on standard error and [`NOT_DONE`] when nothing could be started, [`GONE`] when that is because there
//! is no such container, and [`LOST`] when the engine was lost: what the program has done and whether it runs on is not known then.
//!
//! # When it is over
//!
//! The end of the output is the usual sign. A program that leaves a child behind which holds the output does not give it: so the
//! engine is asked now and then whether the program itself still runs. (Its events do not help: `exec_die` comes when the output
//! is closed, which engine 20.10 does by itself two seconds after the program's end, and nothing promises.) What was on its way
//! at that moment is still printed, for a bounded time.
//!
//! Killing the bridge ends nothing in the container: the engine has no such request.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::pin::Pin;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use bollard::Docker;
use bollard::container::LogOutput;
use bollard::errors::Error;
use bollard::exec::{CreateExecOptions, StartExecOptions, StartExecResults};
use bytes::Bytes;
use domain::target::Container;
use futures::{Stream, StreamExt};
use tokio::io::{AsyncWrite, AsyncWriteExt};

mod docker;
mod find;

use docker::{connect, reason};

/// The word before the container on the command line.
pub const COMMAND: &str = "__exec";

/// The exit code of the bridge itself, as other programs that start programs have it: nothing was run.
pub const NOT_DONE: u8 = 125;
/// Nothing was run, because the container is not there or does not run.
pub const GONE: u8 = 126;
/// The way to a program was lost, and whether it runs on is not known.
pub const LOST: u8 = 124;

/// Bytes of standard input, and about those of the output, that are held at a time.
const PIECE: usize = 64 << 10;
/// Between two questions whether the program still runs.
const LOOK: Duration = Duration::from_millis(500);
/// What was printed before the program has ended is there after so long a silence.
const SILENCE: Duration = Duration::from_millis(200);
/// A child that goes on printing is not listened to longer than that.
const DRAIN: Duration = Duration::from_secs(2);
/// So long the engine may take to say how a program has ended whose output is closed.
const VERDICT: Duration = Duration::from_secs(10);

type Output = Pin<Box<dyn Stream<Item = Result<LogOutput, Error>> + Send>>;
type Input = Pin<Box<dyn AsyncWrite + Send>>;

/// Runs a program in a container, to its end: the first argument says in which, the others are its words.
pub fn main(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let ended = read(arguments).and_then(|(container, words)| in_runtime(bridge(&container, words)));
    ended.map_or_else(not_done, ExitCode::from)
}

/// Why the bridge did not do it.
#[derive(Debug)]
struct Failed {
    code: u8,
    sentence: String,
}

impl From<String> for Failed {
    fn from(sentence: String) -> Self {
        Self { code: NOT_DONE, sentence }
    }
}

fn not_done(Failed { code, sentence }: Failed) -> ExitCode {
    // Nobody may read it any more, and that changes nothing.
    let _ = writeln!(io::stderr(), "{sentence}");
    ExitCode::from(code)
}

fn read(arguments: impl Iterator<Item = OsString>) -> Result<(Container, Vec<String>), Failed> {
    let mut words = Vec::new();
    for argument in arguments {
        let word = argument.into_string();
        words.push(
            word.map_err(|_| "The words of a program for a container have to be UTF-8. Nothing was run.".to_owned())?,
        );
    }
    if words.len() < 2 {
        return Err(format!("Usage: {COMMAND} CONTAINER PROGRAM [ARGUMENT…]. Nothing was run.").into());
    }
    let container = serde_json::from_str(&words.remove(0));
    Ok((
        container.map_err(|error| format!("The container was not said as it should be ({error}). Nothing was run."))?,
        words,
    ))
}

/// On one thread. A thread that still waits for standard input is left to the end of the process.
fn in_runtime<T>(work: impl Future<Output = Result<T, Failed>>) -> Result<T, Failed> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("The bridge could not be set up ({error}). Nothing was run."))?;
    let result = runtime.block_on(work);
    runtime.shutdown_background();
    result
}

async fn bridge(container: &Container, words: Vec<String>) -> Result<u8, Failed> {
    let docker = connect()?;
    let id = find::find(&docker, &container.which).await?;
    let program = create(&docker, &id, container, words).await?;
    let (mut output, input) = start(&docker, &program).await?;
    let typing = tokio::spawn(forward_input(input));
    let printed = forward_output(&docker, &program, &mut output).await;
    typing.abort();
    printed?;
    verdict(&docker, &program).await
}

/// Says to the engine what is to be run. Nothing runs yet.
async fn create(docker: &Docker, id: &str, container: &Container, words: Vec<String>) -> Result<String, Failed> {
    let options = CreateExecOptions {
        attach_stdin: Some(true),
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        tty: Some(false),
        user: container.user.clone(),
        cmd: Some(words),
        ..CreateExecOptions::default()
    };
    let created = docker.create_exec(id, options).await;
    let refused = |error| format!("Nothing was run in {}: {}.", container.which, reason(&error));
    Ok(created.map(|created| created.id).map_err(refused)?)
}

async fn start(docker: &Docker, program: &str) -> Result<(Output, Input), Failed> {
    let options = StartExecOptions { detach: false, tty: false, output_capacity: Some(PIECE) };
    match docker.start_exec(program, Some(options)).await {
        Ok(StartExecResults::Attached { output, input }) => Ok((output, input)),
        Ok(StartExecResults::Detached) => Err(lost("the Docker engine has started it without its streams")),
        Err(error) => Err(not_started(&reason(&error)).into()),
    }
}

/// Carries standard input to the program, and its end.
async fn forward_input(mut input: Input) {
    // When the program takes no more, or there is nothing to read from, that is for the program to say.
    let _ = carry(&mut input).await;
    let _ = input.shutdown().await;
}

async fn carry(input: &mut Input) -> io::Result<()> {
    loop {
        let piece = tokio::task::spawn_blocking(read_piece).await??;
        if piece.is_empty() {
            return Ok(());
        }
        input.write_all(&piece).await?;
        input.flush().await?;
    }
}

/// What there is to read now. Empty at the end.
fn read_piece() -> io::Result<Vec<u8>> {
    let mut piece = vec![0; PIECE];
    let mut stdin = unbuffered(rustix::stdio::stdin())?;
    let length = stdin.read(&mut piece)?;
    piece.truncate(length);
    Ok(piece)
}

/// The standard library's own standard streams hold back what is no whole line.
fn unbuffered(stream: BorrowedFd<'_>) -> io::Result<File> {
    Ok(File::from(stream.as_fd().try_clone_to_owned()?))
}

/// Prints what the program prints, until that ends or the program does.
async fn forward_output(docker: &Docker, program: &str, output: &mut Output) -> Result<(), Failed> {
    let mut ended = std::pin::pin!(ended(docker, program));
    let mut is_first = true;
    loop {
        tokio::select! {
            piece = output.next() => match piece {
                Some(Ok(piece)) if is_first && never_began(docker, program).await? => {
                    return Err(not_started(&String::from_utf8_lossy(piece.as_ref())).into());
                }
                Some(piece) => print(piece).await?,
                None => return Ok(()),
            },
            ended = &mut ended => {
                ended?;
                return drain(output).await;
            }
        }
        is_first = false;
    }
}

/// Whether a program never had a process: then the engine says in its place why it could not start it. A program that did may print
/// what it likes.
async fn never_began(docker: &Docker, program: &str) -> Result<bool, Failed> {
    let found = docker.inspect_exec(program).await.map_err(|error| lost(&reason(&error)))?;
    Ok(found.running == Some(false) && found.pid.unwrap_or(0) == 0)
}

fn not_started(reason: &str) -> String {
    format!("The program was not started in the container: {}.", reason.trim().trim_end_matches('.'))
}

/// Waits until the program has ended, whoever still holds its output.
async fn ended(docker: &Docker, program: &str) -> Result<(), Failed> {
    loop {
        tokio::time::sleep(LOOK).await;
        if exit_code(docker, program).await?.is_some() {
            return Ok(());
        }
    }
}

/// Prints what is still on its way.
async fn drain(output: &mut Output) -> Result<(), Failed> {
    let begun = Instant::now();
    while begun.elapsed() < DRAIN
        && let Ok(Some(piece)) = tokio::time::timeout(SILENCE, output.next()).await
    {
        print(piece).await?;
    }
    Ok(())
}

async fn print(piece: Result<LogOutput, Error>) -> Result<(), Failed> {
    let piece = piece.map_err(|error| lost(&reason(&error)))?;
    let written = tokio::task::spawn_blocking(move || match piece {
        LogOutput::StdOut { message } => write(rustix::stdio::stdout(), &message),
        LogOutput::StdErr { message } | LogOutput::StdIn { message } | LogOutput::Console { message } => {
            write(rustix::stdio::stderr(), &message)
        }
    });
    let written = written.await.map_err(io::Error::from).flatten();
    written.map_err(|error| lost(&format!("nobody takes what it prints ({error})")))
}

fn write(stream: BorrowedFd<'_>, message: &Bytes) -> io::Result<()> {
    unbuffered(stream)?.write_all(message)
}

/// How the program has ended. The engine may know it a moment after the output was closed.
async fn verdict(docker: &Docker, program: &str) -> Result<u8, Failed> {
    let begun = Instant::now();
    let mut pause = Duration::from_millis(5);
    loop {
        if let Some(code) = exit_code(docker, program).await? {
            return Ok(u8::try_from(code).unwrap_or(NOT_DONE));
        }
        if begun.elapsed() > VERDICT {
            let seconds = VERDICT.as_secs();
            return Err(lost(&format!(
                "it has closed its output, and {seconds} s later the Docker engine does not know how it has ended"
            )));
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LOOK);
    }
}

/// The exit code of a program; none while it runs.
async fn exit_code(docker: &Docker, program: &str) -> Result<Option<i64>, Failed> {
    let found = docker.inspect_exec(program).await.map_err(|error| lost(&reason(&error)))?;
    Ok(found.exit_code.filter(|_| found.running == Some(false)))
}

fn lost(reason: &str) -> Failed {
    let sentence = format!(
        "The connection to the program in the container is lost: {reason}. Whether it runs on, and how it ends, is not known."
    );
    Failed { code: LOST, sentence }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> Result<(Container, Vec<String>), Failed> {
        read(words.iter().map(OsString::from))
    }

    #[test]
    fn the_first_argument_is_the_container_and_the_others_are_the_programs_words() {
        let (container, words) =
            words(&[r#"{"which":{"name":"api"},"user":"node"}"#, "sh", "-c", "echo \"$1\"", "sh", ""]).unwrap();

        assert_eq!(container.user.as_deref(), Some("node"));
        assert_eq!(words, ["sh", "-c", "echo \"$1\"", "sh", ""]);
    }

    #[test]
    fn what_is_not_said_as_it_should_be_is_refused_in_a_sentence() {
        let usage = "Usage: __exec CONTAINER PROGRAM [ARGUMENT…]. Nothing was run.";
        assert_eq!(words(&[]).unwrap_err().sentence, usage);
        assert_eq!(words(&[r#"{"which":{"name":"api"}}"#]).unwrap_err().sentence, usage);
        assert!(
            words(&["api", "true"]).unwrap_err().sentence.starts_with("The container was not said as it should be (")
        );
    }
}
