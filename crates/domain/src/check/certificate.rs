//! How long a certificate is good.

use super::CheckEnd;
use super::answers::{Heard, first};
use crate::{Timestamp, time};

const DAY_MS: u64 = 86_400_000;

/// A certificate is to be good for some days.
///
/// What was heard is `notAfter=Nov 27 16:56:06 2027 GMT`, or why no certificate was seen.
pub fn certificate(host: &str, days: u32, heard: &Heard, now: Timestamp) -> CheckEnd {
    let lines = match heard {
        Heard::Ended { lines, .. } => lines,
        Heard::Late => return CheckEnd::unknown(format!("{host} showed no certificate within 8 s.")),
        Heard::Without(program) => {
            return CheckEnd::unknown(format!(
                "The target has no {program}: the certificate of {host} was not looked at."
            ));
        }
        Heard::Nowhere | Heard::TooMuch => {
            return CheckEnd::unknown(format!("The certificate of {host} could not be looked at."));
        }
    };
    let end = lines.iter().find_map(|line| Timestamp::of_certificate(line.trim().strip_prefix("notAfter=")?));
    let Some(end) = end else { return CheckEnd::unknown(unseen(host, lines)) };
    let date = end.absolute();
    if end <= now {
        return CheckEnd::no(format!("The certificate of {host} expired on {date}."));
    }
    let left = end.since(now) / DAY_MS;
    let in_days = time::counted(left, "day");
    if end.since(now) < u64::from(days).saturating_mul(DAY_MS) {
        let wanted = time::counted(u64::from(days), "day");
        return CheckEnd::no(format!("The certificate of {host} expires in {in_days}, on {date}: less than {wanted}."));
    }
    CheckEnd::yes(format!("The certificate of {host} is good for {in_days}, until {date}."))
}

fn unseen(host: &str, lines: &[String]) -> String {
    let text = lines.join("\n").to_lowercase();
    let says = |words: &str| text.contains(words);
    if says("connection refused") || says("errno=111") {
        return format!("Nothing answers at {host}: no certificate was seen.");
    }
    if says("name or service not known") || says("getaddrinfo") || says("not known") || says("hostname lookup") {
        return format!("The target does not know the name in {host}: no certificate was seen.");
    }
    if says("wrong version number") || says("no peer certificate") {
        return format!("What answers at {host} shows no certificate.");
    }
    format!("{host} showed no certificate: {}.", first(lines))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Held;

    /// Mon 23 Nov 2026, 21:58:04 UTC
    const NOW: Timestamp = Timestamp(1_795_471_084_000);

    fn heard(text: &str) -> Heard {
        Heard::Ended { code: 0, statuses: Vec::new(), lines: text.lines().map(str::to_owned).collect() }
    }

    #[test]
    fn a_certificate_that_is_about_to_expire_does_not_hold() {
        let asked = |text: &str| certificate("shop:443", 14, &heard(text), NOW);

        let good = asked("notAfter=Dec 23 22:00:00 2026 GMT");
        assert_eq!(good.held, Held::Yes);
        assert_eq!(
            good.sentence,
            "The certificate of shop:443 is good for 30 days, until Wed 23 Dec 2026, 22:00:00 UTC."
        );
        let soon = asked("notAfter=Nov 25  1:00:00 2026 GMT");
        assert_eq!(soon.held, Held::No);
        assert!(soon.sentence.contains("expires in 1 day"), "{}", soon.sentence);
        let over = asked("notAfter=Nov  1 00:00:00 2026 GMT");
        assert_eq!((over.held, over.sentence.contains("expired on")), (Held::No, true));
    }

    #[test]
    fn a_certificate_that_nobody_saw_is_not_known() {
        for (text, sentence) in [
            ("connect:errno=111", "Nothing answers at shop:443: no certificate was seen."),
            ("wrong version number", "What answers at shop:443 shows no certificate."),
            ("", "shop:443 showed no certificate: it said nothing."),
            ("notAfter=tomorrow", "shop:443 showed no certificate: notAfter=tomorrow."),
        ] {
            let end = certificate("shop:443", 14, &heard(text), NOW);

            assert_eq!((end.held, end.sentence.as_str()), (Held::Unknown, sentence));
        }
        let without = certificate("shop:443", 14, &Heard::Without("openssl".to_owned()), NOW);
        assert_eq!(without.held, Held::Unknown);
    }
}
