//! Passwords: judged, hashed and checked, never more than two at a time.
//!
//! One argon2id hash at these settings takes 19 MiB and 33 ms (measured): a storm of sign-ins must not take the machine's memory.
//! So two threads do nothing else. On the threads of the runtime each hash would be another one's, and the allocator keeps what a
//! thread has freed for that thread: forty sign-ins at once came to 440 MiB that way, which stayed.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};

use argon2::password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash};
use argon2::{Algorithm, Argon2, Params, Version};
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
        let dummy = hash("no account has this password")?;
        Ok(Self { work: hashers()?, queue: Arc::new(Semaphore::new(WAITING)), dummy: dummy.into() })
    }

    /// The hash of a new password, in the PHC string format.
    pub async fn hash(&self, password: &str) -> Result<String, Error> {
        let password = password.to_owned();
        self.work(move || hash(&password)).await?
    }

    /// Whether a password fits a hash. Without a hash it takes as long and answers no.
    pub async fn check(&self, password: &str, hash: Option<&str>) -> Result<bool, Error> {
        let known = hash.is_some();
        let hash = hash.map_or_else(|| self.dummy.to_string(), str::to_owned);
        let password = password.to_owned();
        Ok(self.work(move || fits(&password, &hash)).await? && known)
    }

    async fn work<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
        const STORM: Error =
            Error::Busy("Too many passwords are checked at this moment. Nothing was changed; try again in a moment.");
        let _place = self.queue.try_acquire().map_err(|_| STORM)?;
        let (tell, told) = oneshot::channel();
        // Whoever does not wait for it any more needs no answer.
        let work = move || drop(tell.send(work()));
        self.work.send(Box::new(work)).map_err(|_| STORM)?;
        told.await.map_err(|_| Error::Broken("hashing a password"))
    }
}

/// What a hasher does next.
type Work = Box<dyn FnOnce() + Send>;

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
    loop {
        let next = asked.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(work) = next else { return };
        // A panic is one password that was not hashed, and not the end of all signing in.
        drop(std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)));
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

/// argon2id with 19 MiB, two passes, one lane (OWASP Password Storage Cheat Sheet).
fn argon2() -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::default())
}

fn hash(password: &str) -> Result<String, Error> {
    let hash = argon2().hash_password(password.as_bytes()).map_err(|_| Error::Broken("hashing a password"))?;
    Ok(hash.to_string())
}

fn fits(password: &str, hash: &str) -> bool {
    PasswordHash::new(hash).is_ok_and(|hash| argon2().verify_password(password.as_bytes(), &hash).is_ok())
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
