//! Passwords: judged, hashed and checked, never more than two at a time.
//!
//! One argon2id hash at these settings takes 19 MiB and 33 ms (measured): a storm of sign-ins must not take the machine's memory.
//! So two threads do nothing else, each in memory of its own that it keeps: what is taken and given back for every hash, the
//! allocator keeps in pieces, and forty sign-ins at once came to hundreds of MiB that way, which stayed.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::password_hash::try_generate_salt;
use argon2::{Algorithm, Argon2, Block, Params, Version};
use tokio::sync::{Semaphore, oneshot};

use crate::Error;

/// The fewest characters of a password that stands alone (NIST SP 800-63B-4, section 3.1.1).
pub const LEAST: usize = 15;

/// The most bytes that are hashed.
const MOST: usize = 1024;

/// Of how many guesses, as a power of ten from 0 to 4, zxcvbn must think a password worth.
const STRENGTH: u8 = 3;

/// How many hashes may be computed at a time.
const AT_ONCE: usize = 2;

/// How many people may wait for one: at 33 ms each the last of them waits about a second.
const WAITING: usize = 64;

/// Computes and checks hashes.
#[derive(Clone, Debug)]
pub struct Passwords {
    work: Sender<Work>,
    queue: Arc<Semaphore>,
    /// Checked when there is no such account, so that a stranger cannot tell by the time it takes.
    dummy: Arc<str>,
}

impl Passwords {
    /// Ready to hash; computes the dummy hash once.
    pub fn new() -> Result<Self, Error> {
        let dummy = hash("no account has this password", &mut Memory::new())?;
        Ok(Self { work: hashers()?, queue: Arc::new(Semaphore::new(WAITING)), dummy: dummy.into() })
    }

    /// The hash of a new password, in the PHC string format.
    pub async fn hash(&self, password: &str) -> Result<String, Error> {
        let password = password.to_owned();
        self.work(move |memory| hash(&password, memory)).await?
    }

    /// Whether a password fits a hash. Without a hash it takes as long and answers no.
    pub async fn check(&self, password: &str, hash: Option<&str>) -> Result<bool, Error> {
        let known = hash.is_some();
        let hash = hash.map_or_else(|| self.dummy.to_string(), str::to_owned);
        let password = password.to_owned();
        Ok(self.work(move |memory| fits(&password, &hash, memory)).await? && known)
    }

    async fn work<T: Send + 'static>(&self, work: impl FnOnce(&mut Memory) -> T + Send + 'static) -> Result<T, Error> {
        const STORM: Error =
            Error::Busy("Too many passwords are checked at this moment. Nothing was changed; try again in a moment.");
        let _place = self.queue.try_acquire().map_err(|_| STORM)?;
        let (tell, told) = oneshot::channel();
        // Whoever does not wait for it any more needs no answer.
        let work = move |memory: &mut Memory| drop(tell.send(work(memory)));
        self.work.send(Box::new(work)).map_err(|_| STORM)?;
        told.await.map_err(|_| Error::Broken("hashing a password"))
    }
}

/// What a hasher does next.
type Work = Box<dyn FnOnce(&mut Memory) + Send>;

/// What a hasher computes in, in blocks of 1 KiB: as many as the largest hash has needed so far.
type Memory = Vec<Block>;

/// Starts the threads that hash; they end when nobody can ask them any more.
fn hashers() -> Result<Sender<Work>, Error> {
    let (ask, asked) = channel::<Work>();
    let asked = Arc::new(Mutex::new(asked));
    for _ in 0..AT_ONCE {
        let asked = Arc::clone(&asked);
        std::thread::Builder::new().name("passwords".to_owned()).spawn(move || hash_what_is_asked(&asked))?;
    }
    Ok(ask)
}

fn hash_what_is_asked(asked: &Mutex<Receiver<Work>>) {
    let mut memory = Memory::new();
    loop {
        let next = asked.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(work) = next else { return };
        // A panic is one password that was not hashed, and not the end of all signing in.
        drop(std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| work(&mut memory))));
    }
}

/// A name shorter than this, in characters, may stand in a password: it stands in half of all texts.
const TELLING: usize = 4;

/// Judges a new password: long enough, short enough, without its owner's names, and not one that is guessed quickly.
///
/// # Errors
///
/// [`Error::Invalid`] with what to change.
pub fn judge(password: &str, login: &str, name: &str) -> Result<(), Error> {
    let characters = password.chars().count();
    if characters < LEAST {
        return Err(Error::Invalid(format!(
            "The password has {characters} characters, and {LEAST} are the fewest. Nothing was changed; a few unrelated words do well."
        )));
    }
    if password.len() > MOST {
        return Err(Error::Invalid(format!(
            "The password has more than {MOST} bytes. Nothing was changed; choose a shorter one."
        )));
    }
    if says(password, login, name) {
        return Err(Error::Invalid(
            "The password has the name or the sign-in name in it. Nothing was changed; a few unrelated words do well."
                .to_owned(),
        ));
    }
    if u8::from(zxcvbn::zxcvbn(password, &[login, name, "runbook", "portal"]).score()) < STRENGTH {
        return Err(Error::Invalid(
            "The password is guessed quickly: it repeats itself, or is made of very common words, dates or your name. \
             Nothing was changed; a few unrelated words do well."
                .to_owned(),
        ));
    }
    Ok(())
}

/// Whether a password says whose it is, in whatever capitals.
fn says(password: &str, login: &str, name: &str) -> bool {
    let password = password.to_lowercase();
    let words = name.split(|character: char| !character.is_alphanumeric()).chain([login]);
    words.filter(|word| word.chars().count() >= TELLING).any(|word| password.contains(&word.to_lowercase()))
}

/// The hash of a new password: argon2id with 19 MiB, two passes, one lane (OWASP Password Storage Cheat Sheet).
fn hash(password: &str, memory: &mut Memory) -> Result<String, Error> {
    let params = Params::default();
    let salt = try_generate_salt().map_err(|_| BROKEN)?;
    let hash = PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(&params).map_err(|_| BROKEN)?,
        salt: Some(Salt::new(&salt).map_err(|_| BROKEN)?),
        hash: None,
    };
    let output = computed(password, &hash, memory).ok_or(BROKEN)?;
    Ok(PasswordHash { hash: Some(output), ..hash }.to_string())
}

const BROKEN: Error = Error::Broken("hashing a password");

/// Whether a password comes to this hash, by the settings that stand in it; [`Output`] compares in constant time.
fn fits(password: &str, hash: &str, memory: &mut Memory) -> bool {
    let Ok(hash) = PasswordHash::new(hash) else { return false };
    hash.hash.is_some() && computed(password, &hash, memory) == hash.hash
}

/// What a password comes to with the algorithm, the version, the settings and the salt of a hash (RFC 9106).
fn computed(password: &str, hash: &PasswordHash, memory: &mut Memory) -> Option<Output> {
    let algorithm = Algorithm::try_from(hash.algorithm.as_str()).ok()?;
    let version = Version::try_from(hash.version?).ok()?;
    let params = Params::try_from(hash).ok()?;
    let (salt, length) = (hash.salt?, params.output_len().unwrap_or(Params::DEFAULT_OUTPUT_LEN));
    memory.resize(memory.len().max(params.block_count()), Block::default());
    let (argon2, mut output) = (Argon2::new(algorithm, version, params), vec![0; length]);
    argon2.hash_password_into_with_memory(password.as_bytes(), &salt, &mut output, memory).ok()?;
    Output::new(&output).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_right_password_of_a_known_account_fits() {
        let passwords = Passwords::new().unwrap();

        let hash = passwords.hash("grandfather clock pelican").await.unwrap();

        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(passwords.check("grandfather clock pelican", Some(&hash)).await.unwrap());
        assert!(!passwords.check("grandfather clock pelicans", Some(&hash)).await.unwrap());
        assert!(!passwords.check("no account has this password", None).await.unwrap());
    }

    #[test]
    fn hashes_made_elsewhere_fit_in_memory_that_is_used_again() {
        // "password" with the salt "somesalt", from the test vectors of the reference implementation (64 MiB).
        let other = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
        let mut memory = Memory::new();
        let own = hash("grandfather clock pelican", &mut memory).unwrap();

        for _ in 0..2 {
            assert!(fits("password", other, &mut memory));
            assert!(fits("grandfather clock pelican", &own, &mut memory));
            assert!(!fits("passwords", other, &mut memory));
        }
        assert!(!fits("password", "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ", &mut memory), "no hash");
        assert!(!fits("password", "plain text", &mut memory));
    }

    #[test]
    fn a_password_is_judged_by_length_and_guesses() {
        let judged = |password: &str| judge(password, "olga.m", "Olga Marin").map_err(|error| error.sentence());

        assert!(judged("short").unwrap_err().contains("5 characters"));
        assert!(judged("aaaaaaaaaaaaaaaaaaaa").unwrap_err().contains("guessed quickly"));
        assert!(judged("passwordpassword").unwrap_err().contains("guessed quickly"));
        assert!(judged("grandfather clock pelican").is_ok());
        assert!(judged(&"x9!".repeat(400)).is_err());
        for named in ["grandfather OLGA.M pelican", "grandfather clock of mARIN", "grandfatherolgapelican"] {
            assert!(judged(named).unwrap_err().contains("name in it"), "{named}");
        }
        assert!(judge("grandfather clock pelican", "ran", "Ad").is_ok(), "three letters stand in every other word");
    }
}
