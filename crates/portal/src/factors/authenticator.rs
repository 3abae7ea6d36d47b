//! Authenticator apps (RFC 6238) and the codes for the day on which the phone is gone.

use domain::view::{QrCode, ShownOffer};
use domain::{PersonId, Timestamp};
use qrcodegen::{QrCode as Drawn, QrCodeEcc};
use rand::RngCore as _;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use totp_rs::Builder;

use crate::Error;

/// What apps show above the code.
const ISSUER: &str = "Runbook Portal";

/// The bytes of a secret (RFC 4226, section 4).
const SECRET: usize = 20;

/// How many recovery codes there are.
const RECOVERY_CODES: usize = 10;

/// The characters of a recovery code: 32, none of which looks like another one.
const ALPHABET: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz023456789";

/// The characters of a recovery code, 5 bits each.
const LENGTH: usize = 16;

/// A code is accepted within so many steps of clock difference.
const SKEW: u16 = 1;

const STEP_SECONDS: u64 = 30;

/// An authenticator app that is not switched on yet, with its recovery codes.
#[derive(Serialize, Deserialize)]
pub(crate) struct Draft {
    secret: Vec<u8>,
    recovery_codes: Vec<String>,
}

impl Draft {
    /// A new secret and new recovery codes.
    pub(crate) fn new() -> Self {
        let mut secret = vec![0; SECRET];
        rand::rng().fill_bytes(&mut secret);
        Self { secret, recovery_codes: std::iter::repeat_with(spelled_secret).take(RECOVERY_CODES).collect() }
    }

    /// The secret of the app.
    pub(crate) fn secret(&self) -> &[u8] {
        &self.secret
    }

    /// The time step of a code, when the app has this secret.
    pub(crate) fn step(&self, code: &str, now: Timestamp) -> Option<i64> {
        step(&self.secret, code, now)
    }

    /// What is stored of the recovery codes.
    pub(crate) fn hashes(&self, person: &PersonId) -> Vec<String> {
        self.recovery_codes.iter().filter_map(|code| recovery_hash(person, code)).collect()
    }

    /// What its owner is shown, once.
    pub(crate) fn shown(&self, login: &str, ends: Timestamp) -> Result<ShownOffer, Error> {
        let broken = || Error::Broken("drawing a QR code");
        let app = builder(&self.secret).with_issuer(Some(ISSUER)).with_account_name(login).build();
        let address = app.ok().and_then(|app| app.to_url().ok()).ok_or_else(broken)?;
        let drawn = Drawn::encode_text(&address, QrCodeEcc::Medium).map_err(|_| broken())?;
        Ok(ShownOffer {
            secret: spaced(secret_in(&address)),
            qr: drawing(&drawn),
            address,
            recovery_codes: self.recovery_codes.clone(),
            ends,
        })
    }
}

/// The time step of a code, when it is one of a secret at this time.
pub(crate) fn step(secret: &[u8], code: &str, now: Timestamp) -> Option<i64> {
    let code: String = code.chars().filter(|character| !character.is_whitespace()).collect();
    let seconds = u64::try_from(now.0 / 1000).ok()?;
    let step = builder(secret).build().ok()?.check(&code, seconds)?;
    i64::try_from(step).ok()
}

fn builder(secret: &[u8]) -> Builder {
    Builder::new().with_secret(secret.to_vec()).with_digits(6).with_step_duration(STEP_SECONDS).with_skew(SKEW)
}

/// The secret as the address has it: what is typed and what is read cannot differ.
fn secret_in(address: &str) -> &str {
    address.split(['?', '&']).find_map(|pair| pair.strip_prefix("secret=")).unwrap_or_default()
}

/// The squares of a QR code as a path, for a page that draws it by itself.
fn drawing(drawn: &Drawn) -> QrCode {
    let size = drawn.size();
    let dark = (0..size).flat_map(|y| (0..size).map(move |x| (x, y))).filter(|(x, y)| drawn.get_module(*x, *y));
    let squares: Vec<String> = dark.map(|(x, y)| format!("M{x} {y}h1v1h-1z")).collect();
    QrCode { size: size.unsigned_abs(), path: squares.concat() }
}

/// A text in groups of four, which people can copy by hand.
fn spaced(text: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    characters.chunks(4).map(String::from_iter).collect::<Vec<_>>().join(" ")
}

/// 80 random bits in four groups, which people can type.
pub fn spelled_secret() -> String {
    let mut bytes = [0_u8; LENGTH];
    rand::rng().fill_bytes(&mut bytes);
    // 32 divides 256: every character is as likely as every other one.
    let characters = bytes.map(|byte| char::from(ALPHABET[usize::from(byte % 32)]));
    characters.chunks(4).map(String::from_iter).collect::<Vec<_>>().join("-")
}

/// What is stored of a recovery code; `None` when the text is none. Blanks, hyphens and capitals do not matter.
pub(crate) fn recovery_hash(person: &PersonId, code: &str) -> Option<String> {
    let plain = |character: &char| !character.is_whitespace() && *character != '-';
    let code: String = code.chars().filter(plain).map(|character| character.to_ascii_lowercase()).collect();
    let fits = code.len() == LENGTH && code.bytes().all(|byte| ALPHABET.contains(&byte));
    fits.then(|| hex::encode(Sha256::digest(format!("{person}\n{code}"))))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The secret of RFC 6238, appendix B.
    const RFC: &[u8] = b"12345678901234567890";

    fn at(seconds: i64) -> Timestamp {
        Timestamp(seconds * 1000)
    }

    #[test]
    fn codes_are_those_of_the_standard() {
        // The appendix has eight digits: six are the last six of them.
        let table = [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ];

        for (seconds, code) in table {
            assert_eq!(step(RFC, code, at(seconds)), Some(seconds / 30), "{code}");
        }
    }

    #[test]
    fn a_code_is_taken_within_one_step_of_clock_difference_and_not_two() {
        let taken = |seconds: i64| step(RFC, "005924", at(1_234_567_890 + seconds));

        assert_eq!([-60, -30, 0, 30, 60].map(|seconds| taken(seconds).is_some()), [false, true, true, true, false]);
        assert_eq!(taken(30), Some(1_234_567_890 / 30), "the step is the code's, not the clock's");
    }

    #[test]
    fn blanks_in_a_code_do_not_matter_and_anything_else_does() {
        let taken = |code: &str| step(RFC, code, at(59)).is_some();

        assert!(taken(" 287 082 "));
        assert!(!["94287082", "28708", "+87082", "", "２87082"].iter().any(|code| taken(code)));
    }

    #[test]
    fn ten_recovery_codes_are_shown_and_only_their_hashes_are_kept() {
        let draft = Draft::new();
        let shown = draft.shown("olga", at(0)).unwrap();
        let hashes = draft.hashes(&"p".into());

        assert_eq!((shown.recovery_codes.len(), hashes.len()), (10, 10));
        assert!(shown.recovery_codes.iter().all(|code| code.len() == 19), "{:?}", shown.recovery_codes);
        assert!(hashes.iter().all(|hash| hash.len() == 64));
        let typed = shown.recovery_codes[3].to_uppercase().replace('-', " ");
        assert_eq!(recovery_hash(&"p".into(), &typed).as_ref(), hashes.get(3));
        assert_ne!(recovery_hash(&"q".into(), &typed).as_ref(), hashes.get(3));
        assert_eq!(recovery_hash(&"p".into(), "287082"), None);
    }

    #[test]
    fn an_app_reads_the_secret_from_the_code_or_from_the_text() {
        let draft = Draft { secret: RFC.to_vec(), recovery_codes: Vec::new() };

        let shown = draft.shown("olga.marin", at(0)).unwrap();

        assert_eq!(shown.secret, "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ");
        assert!(shown.address.starts_with("otpauth://totp/Runbook%20Portal:olga.marin?"), "{}", shown.address);
        assert!(shown.address.contains("secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"), "{}", shown.address);
        assert!(shown.qr.size >= 21 && shown.qr.path.starts_with("M0 0h1v1h-1z"), "{:?}", shown.qr);
    }
}
