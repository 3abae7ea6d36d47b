//! The shim: the process that stands beside a step from its first byte to its last, whatever happens to the portal.
//!
//! It is the same binary in another mode, `runbook-portal __shim FOLDER`, started with nothing but the key of its attempt on
//! standard input and the lock of its folder as standard output. It must be called before any thread is started: it begins
//! by letting go of everything that it might have inherited.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use domain::Digest;
use domain::attempt::{AttemptResult, Exit, FORMAT, Intent, Notes, Spec, Work};
use nix::sys::signal::{SigHandler, SigSet, Signal as MaskedSignal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use rustix::fs::{FlockOperation, Mode, OFlags};
use rustix::process::DumpableBehavior;

use crate::cgroup::Cgroup;
use crate::condition::StateFile;
use crate::far::Transport;
use crate::folder::{EXIT, INDEX, LOCK, LOG, SPEC};
use crate::key::AttemptKey;
use crate::record::{Handover, Signed};

mod birth;
mod body;
mod children;
pub(crate) mod clock;
mod control;
mod driver;
mod exports;
mod far;
mod limits;
mod log;
pub(crate) mod mask;
mod place;
mod scanner;
pub(crate) mod shell;
mod silence;
mod supervise;
mod waiting;

use body::Body;
use children::Children;
use control::Control;
use exports::Kept;
use far::{Far, Former};
use log::Log;
use mask::Mask;
use place::Reserved;
use shell::Shell;
use silence::Silence;
use supervise::{Ending, Supervisor, supervise};

/// The word before the folder on the command line.
pub const COMMAND: &str = "__shim";

/// Nobody hands over more than that.
const HANDOVER_LIMIT: u64 = 16 << 20;

/// Runs the attempt that lies in the folder named by the one argument, to its end.
///
/// What went wrong before there was a record to write it into is said on standard error, which is `shim.log`.
pub fn main(mut arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let Some(folder) = arguments.next() else {
        eprintln!("The shim needs the folder of its attempt.");
        return ExitCode::from(2);
    };
    match run(Path::new(&folder)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("The step was not started: {error}.");
            ExitCode::FAILURE
        }
    }
}

fn run(folder: &Path) -> io::Result<()> {
    stand_alone()?;
    std::env::set_current_dir(folder)?;
    let lock = lock()?;
    let handover = hear_handover()?;
    let key = AttemptKey::from_hex(&handover.key).ok_or_else(|| io::Error::other("the handover holds no key"))?;
    let spec: Spec = serde_json::from_slice(&std::fs::read(SPEC)?)?;
    // What lies in the folder is only believed where it agrees with what the portal has recorded.
    let Intent { id, digest } = handover.intent.clone().unwrap_or_else(|| spec.intent());
    let spec = Spec { id, digest, ..spec };

    let former = handover.resume.then(former);
    // From here on there is a log, and with it a record of whatever happens.
    let mask = Mask::new(handover.secrets.clone(), &spec.work.mask_files);
    let mut log = if handover.resume { Log::reopen } else { Log::create }(spec.work.output_cap, key.clone(), mask)?;
    let exit = Reserved::create(EXIT)?;
    let begun = former.and_then(|former| former.asked).unwrap_or_else(Instant::now);
    let limits = Limits::new(&spec, &key);
    let (ending, far) = match attempt((&spec, &handover, former), &key, &limits, &mut log) {
        Ok((ending, body)) => (ending, body.into_far()),
        Err(NotRun { reason, kept }) => (Ending::not_started(reason, kept), None),
    };
    // The group goes before the record comes: whoever reads that finds nothing of the step.
    drop(limits);
    record(&spec, &key, &mut log, exit, ending, begun);
    // Whoever waits for the end has it; what is still to be done concerns nobody.
    drop(lock);
    if let Some(far) = far {
        far.clean();
    }
    Ok(())
}

/// Leaves the portal: own session, no descriptors but the first three, not to be looked into, reaper of all below.
fn stand_alone() -> io::Result<()> {
    // Fails only for one who leads a session already, which is what is wanted.
    let _ = rustix::process::setsid();
    close_inherited()?;
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?;
    Ok(())
}

fn close_inherited() -> io::Result<()> {
    let entries = std::fs::read_dir("/proc/self/fd")?.flatten();
    // Collected first: the folder that is being read is open itself, and closed after this line.
    let numbers: Vec<i32> = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    let is_open = |number: &i32| std::fs::symlink_metadata(format!("/proc/self/fd/{number}")).is_ok();
    for number in numbers.into_iter().filter(|number| *number > 2).filter(is_open) {
        #[expect(unsafe_code, reason = "nothing of this process owns a descriptor yet: these came from outside")]
        // SAFETY: called first in `main`, before anything was opened; the folder's own descriptor is closed already.
        unsafe {
            rustix::io::close(number);
        }
    }
    Ok(())
}

/// Takes the lock over. The portal has taken it already and passes it on as standard output, so that there is no moment in
/// which nobody holds it; without that (a start by hand) it is taken here.
fn lock() -> io::Result<File> {
    let file = File::options().read(true).append(true).open(LOCK)?;
    let inherited = rustix::stdio::stdout();
    let (ours, theirs) = (rustix::fs::fstat(&file)?, rustix::fs::fstat(inherited)?);
    let same = (ours.st_dev, ours.st_ino) == (theirs.st_dev, theirs.st_ino);
    let file = if same { File::from(rustix::io::fcntl_dupfd_cloexec(inherited, 3)?) } else { file };
    rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive)
        .map_err(|_| io::Error::other("another process holds the lock of this attempt"))?;
    Ok(file)
}

/// Reads the handover, and lets go of the portal's last descriptors.
fn hear_handover() -> io::Result<Handover> {
    let mut text = Vec::new();
    io::stdin().lock().take(HANDOVER_LIMIT).read_to_end(&mut text)?;
    let nothing = rustix::fs::open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())?;
    rustix::stdio::dup2_stdin(nothing.as_fd())?;
    rustix::stdio::dup2_stdout(nothing.as_fd())?;
    Ok(serde_json::from_slice(&text)?)
}

/// Why nothing was run.
struct NotRun {
    /// In a sentence.
    reason: String,
    /// What that means for later attempts.
    kept: Option<Kept>,
}

impl From<String> for NotRun {
    fn from(reason: String) -> Self {
        Self { reason, kept: None }
    }
}

/// What holds a step of this machine to its limits.
struct Limits {
    cgroup: Option<Cgroup>,
    holding: limits::Holding,
}

impl Limits {
    fn new(spec: &Spec, key: &AttemptKey) -> Self {
        if !spec.work.reach.is_local() {
            return Self { cgroup: None, holding: limits::Holding::default() };
        }
        let group = cgroup_name(&key.token());
        let cgroup = Cgroup::create(&group, &limits::wanted(&spec.work.limits));
        let holding = limits::prepare(&spec.work.limits, &group, cgroup.as_ref());
        Self { cgroup, holding }
    }
}

/// Runs what is to be run, or says why nothing was. Gives back where it ran, too.
fn attempt<'a>(
    (spec, handover, former): (&'a Spec, &Handover, Option<Former>),
    key: &'a AttemptKey,
    limits: &'a Limits,
    log: &mut Log,
) -> Result<(Ending, Body<'a>), NotRun> {
    check(&spec.work, &spec.digest)?;
    hear_signals_again().map_err(|error| trouble(&error))?;
    // In this order: whoever finds no socket, and SIGTERM blocked, knows that the step has taken the socket away.
    let control = Control::listen().map_err(|error| trouble(&error))?;
    let signals = block_signals().map_err(|error| trouble(&error))?;
    let state = StateFile::create(key.clone()).map_err(|error| trouble(&error))?;
    let given = given(spec, handover)?;
    let (body, mut unenforced) = if spec.work.reach.is_local() {
        (here(spec, given, key, limits)?, Vec::new())
    } else {
        far(spec, (handover, former), given, key)?
    };
    let silence = Silence::new(state, Instant::now());
    let (ladder, stop) = (handover.ladder, handover.stop);
    // The way there is none of its time.
    let begun = former.and_then(|former| former.asked).unwrap_or_else(Instant::now);
    let all = Supervisor { spec, ladder, key, body, signals, control, silence, log, begun, stop };
    let (ending, body) = supervise(all);
    unenforced.extend(limits.holding.unenforced.iter().cloned());
    Ok((Ending { unenforced, limited: limits.holding.felt(), ..ending }, body))
}

fn trouble(error: &io::Error) -> String {
    format!("The step could not be set up: {error}.")
}

/// Starts the shell on this machine.
fn here<'a>(
    spec: &Spec,
    given: BTreeMap<String, String>,
    key: &AttemptKey,
    limits: &'a Limits,
) -> Result<Body<'a>, String> {
    // A program inherits what is blocked: for the moment of its start nothing is.
    let blocked = SigSet::thread_get_mask().map_err(|error| trouble(&error.into()))?;
    let set = |mask: SigSet| mask.thread_set_mask().map_err(|error| trouble(&error.into()));
    let cgroup = limits.cgroup.as_ref();
    set(SigSet::empty())?;
    let shell = Shell::start(&spec.work, given, &key.mark(0), &key.token(), cgroup, &limits.holding);
    set(blocked)?;
    let (shell, inside) = shell?;
    shell.to_foreground();
    let children = Children::new(shell.pid, cgroup.filter(|_| inside));
    Ok(Body::here(shell, children))
}

/// Starts the shell at a target, or takes up one that another shim has started. Gives the limits that do not hold there.
fn far<'a>(
    spec: &Spec,
    (handover, former): (&Handover, Option<Former>),
    given: BTreeMap<String, String>,
    key: &AttemptKey,
) -> Result<(Body<'a>, Vec<String>), String> {
    let group = format!("run {}", spec.id.run);
    let transport = Transport::to(&spec.work.reach, &handover.connections, &group, Path::new("/proc/self/exe"));
    let transport = transport.map_err(|error| trouble(&error))?;
    let token = key.token();
    if let Some(former) = former {
        return Ok((Body::Far(Box::new(Far::resume(transport, &spec.work, &token, former))), Vec::new()));
    }
    let mut environment: Vec<(String, String)> = spec.work.environment.clone().into_iter().chain(given).collect();
    environment.push((shell::TOKEN_VARIABLE.to_owned(), token.clone()));
    let (far, unenforced) = Far::begin(transport, &spec.work, &environment, &token, &key.mark(0))?;
    Ok((Body::Far(Box::new(far)), unenforced))
}

/// What the folder says of the shim that has died.
fn former() -> Former {
    let age = std::fs::metadata(SPEC).and_then(|spec| spec.modified()).ok().and_then(|made| made.elapsed().ok());
    let began = [LOG, INDEX].iter().any(|name| std::fs::metadata(name).is_ok_and(|file| file.len() > 0));
    Former { asked: age.and_then(|age| Instant::now().checked_sub(age)), began }
}

/// What the shell gets besides its listed environment: variables of earlier attempts, and secrets.
fn given(spec: &Spec, handover: &Handover) -> Result<BTreeMap<String, String>, NotRun> {
    let carried = spec.work.carried.as_ref().map_or(Ok(BTreeMap::new()), exports::take);
    let mut given = carried.map_err(|reason| NotRun { reason, kept: Some(Kept::nothing()) })?;
    for name in spec.work.secrets.keys() {
        let secret = handover.secrets.iter().find(|secret| secret.used && secret.name == *name);
        let secret = secret.ok_or_else(|| format!("The secret {name} was not handed over. Nothing was run."))?;
        given.insert(name.clone(), secret.value.clone());
    }
    Ok(given)
}

/// The group is named after the token, so that it can be found without the shim.
pub(crate) fn cgroup_name(token: &str) -> String {
    format!("portal-{token}")
}

/// The kernel takes no variable, with its name and the sign between, that is as long as this.
const LONGEST_VARIABLE: usize = 131_072;

/// What no shell could run, or not as it was meant. The reason says what it is and what to do.
fn check(work: &Work, digest: &Digest) -> Result<(), String> {
    if work.digest() != *digest {
        return Err("What lies in the folder of the step is not what was to be run. Nothing was run.".to_owned());
    }
    work.commands.iter().try_for_each(|command| check_script(command.number, &command.script))?;
    work.environment.iter().try_for_each(|(name, value)| check_variable(name, value))
}

fn check_script(number: u32, script: &str) -> Result<(), String> {
    if script.contains('\0') {
        return Err(format!("Command {number} contains a NUL byte, which no shell can take. Nothing was run."));
    }
    if script.contains("\r\n") || script.ends_with('\r') {
        return Err(format!(
            "Command {number} has lines that end as Windows ends them (CR LF). A shell takes the CR for a part of the last \
             word. Nothing was run; save the document with LF line ends."
        ));
    }
    Ok(())
}

fn check_variable(name: &str, value: &str) -> Result<(), String> {
    if name.is_empty() || name.contains(['=', '\0']) {
        return Err(format!("{name:?} cannot be the name of a variable. Nothing was run."));
    }
    if value.contains('\0') {
        return Err(format!("The value of {name} contains a NUL byte, which no program can take. Nothing was run."));
    }
    let length = name.len() + 1 + value.len();
    if length >= LONGEST_VARIABLE {
        return Err(format!(
            "The value of {name} is too long for a program: {} bytes; fewer than {} are possible. Nothing was run.",
            value.len(),
            LONGEST_VARIABLE - name.len() - 1,
        ));
    }
    Ok(())
}

/// A portal that was started in the background (`&`, `nohup`) ignores signals, and what is ignored is inherited: a shell that
/// begins so can never be stopped by Ctrl-C. The step's programs begin as they would on a terminal.
fn hear_signals_again() -> io::Result<()> {
    use MaskedSignal::{
        SIGALRM, SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGTTIN, SIGTTOU, SIGUSR1, SIGUSR2,
    };
    for signal in [SIGALRM, SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTSTP, SIGTTIN, SIGTTOU, SIGUSR1, SIGUSR2] {
        #[expect(unsafe_code, reason = "nix marks every change of a disposition so, for the sake of handlers")]
        // SAFETY: the default disposition runs no code of ours, and no other part of the shim has set a handler.
        unsafe { nix::sys::signal::signal(signal, SigHandler::SigDfl) }?;
    }
    #[expect(unsafe_code, reason = "a handler is the only way to hear a signal at a moment when it is not blocked")]
    // SAFETY: the handler only stores into an atomic, which is allowed in any context. A program that is started begins with the
    // default disposition, because the handler is not in it.
    unsafe { nix::sys::signal::signal(SIGTERM, SigHandler::Handler(note_term)) }?;
    Ok(())
}

/// Whether SIGTERM came while it was not blocked: for the moment of the shell's start nothing is.
static TERM_CAME: AtomicBool = AtomicBool::new(false);

extern "C" fn note_term(_: std::ffi::c_int) {
    TERM_CAME.store(true, Ordering::Relaxed);
}

/// Whether SIGTERM came while it was not blocked; told once.
pub(crate) fn term_came() -> bool {
    TERM_CAME.swap(false, Ordering::Relaxed)
}

/// Deaths of children, and the wish that the step stops, come as readable events; the shim may set up its terminal from the
/// background, and is not ended by the end of that terminal.
fn block_signals() -> io::Result<SignalFd> {
    let mut heard = SigSet::empty();
    heard.add(MaskedSignal::SIGCHLD);
    heard.add(MaskedSignal::SIGTERM);
    let mut blocked = heard;
    blocked.add(MaskedSignal::SIGTTOU);
    blocked.add(MaskedSignal::SIGHUP);
    blocked.thread_block()?;
    Ok(SignalFd::with_flags(&heard, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?)
}

/// 128 random bits.
pub(crate) fn token() -> String {
    hex::encode(rand::random::<[u8; 16]>())
}

/// Writes `exit.json`. While the disk is full it is tried again: the truth about a step is worth waiting for.
fn record(spec: &Spec, key: &AttemptKey, log: &mut Log, mut place: Reserved, ending: Ending, begun: Instant) {
    let duration_ms = begun.elapsed().as_millis().try_into().unwrap_or(u64::MAX);
    let at = clock::now();
    let reason = "The step came to no end.".to_owned();
    // When they cannot be kept, the next attempt gets what this one has got: as if the shell could not have been asked.
    let told = ending.told.filter(|_| !spec.work.exports.is_empty());
    let kept = ending.kept.or_else(|| told.map(|told| exports::keep(told, log.mask()))).unwrap_or_default();
    let Some(end) = insist(|| log.finish()) else { return };
    let exit = Exit {
        v: FORMAT,
        id: spec.id,
        digest: spec.digest.clone(),
        result: ending.result.unwrap_or(AttemptResult::NotStarted { reason }),
        bytes: end.bytes,
        dropped: end.dropped,
        cut: end.cut,
        output: end.digest,
        directory: ending.directory.filter(|directory| !log.mask().finds_secret(directory)),
        at,
        duration_ms,
        survivors: ending.survivors,
        held: ending.held,
        notes: Box::new(Notes {
            unenforced: ending.unenforced,
            limited: ending.limited,
            tampered: end.tampered,
            disk_full: end.disk_full,
            unstored: end.unstored,
            ranges: end.ranges,
            unmasked: log.mask().unmasked().to_vec(),
            not_kept: kept.notes,
        }),
        masked: log.mask().of_files(),
        exported: kept.exported,
    };
    let record = Signed::new("", &exit, key).to_bytes();
    insist(|| place.commit(&record));
}

/// Tries until it is done; `None` when the folder was removed: there is nobody left to tell.
fn insist<T>(mut attempt: impl FnMut() -> io::Result<T>) -> Option<T> {
    loop {
        match attempt() {
            Ok(done) => return Some(done),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(_) => std::thread::sleep(Duration::from_secs(1)),
        }
    }
}
