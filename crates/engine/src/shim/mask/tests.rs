//! The filter as a whole: what comes out, however the bytes came in.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use proptest::prelude::*;

use super::*;

const SECRET: &str = "hunter2/ä'$\"x y";

fn secret(value: &str) -> Secret {
    Secret { name: "TOKEN".to_owned(), value: value.to_owned(), used: true }
}

fn mask(values: &[&str]) -> Mask {
    Mask::new(values.iter().map(|value| secret(value)).collect(), &[])
}

/// What is stored of bytes that come in pieces.
fn stored(mask: &mut Mask, pieces: impl IntoIterator<Item = impl AsRef<[u8]>>) -> String {
    let mut all = Vec::new();
    for piece in pieces {
        all.extend_from_slice(mask.push(piece.as_ref()));
    }
    all.extend_from_slice(mask.flush());
    String::from_utf8_lossy(&all).into_owned()
}

fn by_name(text: &str) -> String {
    let whole = stored(&mut mask(&[]), [text]);
    for length in 1..8 {
        assert_eq!(stored(&mut mask(&[]), text.as_bytes().chunks(length)), whole, "in pieces of {length}");
    }
    assert_eq!(stored(&mut mask(&["never printed"]), text.as_bytes().chunks(3)), whole, "behind the other filter");
    whole
}

fn by_value(value: &str, text: &str) -> String {
    let whole = stored(&mut mask(&[value]), [text]);
    for length in 1..8 {
        assert_eq!(stored(&mut mask(&[value]), text.as_bytes().chunks(length)), whole, "in pieces of {length}");
    }
    whole
}

#[test]
fn a_value_is_replaced_by_a_word_and_everything_else_stays() {
    assert_eq!(
        by_value("hunter2", "a hunter2 b\nhunterhunter2hunter\n"),
        "a [secret TOKEN] b\nhunter[secret TOKEN]hunter\n"
    );
    assert_eq!(by_value("abcabcab", "xabcabcabcabcaby"), "x[secret TOKEN]y");
}

#[test]
fn only_what_may_become_a_secret_is_held_back() {
    let mut mask = mask(&["hunter2"]);

    assert_eq!(mask.push(b"Password for hunter? "), b"Password for hunter? ");
    assert_eq!(mask.push(b"a hunt"), b"a ");
    assert_eq!(mask.push(b"ing "), b"hunting ");
    assert_eq!(mask.push(b"hunter2"), b"[secret TOKEN]");
    assert_eq!(mask.push(b"hun"), b"");
    assert_eq!(mask.flush(), b"hun");
}

#[test]
fn of_two_secrets_of_which_one_begins_with_the_other_nothing_is_left() {
    let mut mask = mask(&["hunter2", "hunter2-and-more"]);

    assert_eq!(stored(&mut mask, ["hunter2-and", "-more hunter2-and-less"]), "[secret TOKEN] [secret TOKEN]-and-less");
}

#[test]
fn colour_codes_hide_no_secret_and_are_kept() {
    assert_eq!(
        by_value("hunter2", "\x1b[31mhun\x1b[m\x1b[Kter2\x1b[0m!"),
        "\x1b[31m[secret TOKEN]\x1b[m\x1b[K\x1b[0m!"
    );
    assert_eq!(
        by_name("\x1b[01;31m\x1b[KDB_PASS\x1b[m\x1b[KWORD=hunter2\n"),
        "\x1b[01;31m\x1b[KDB_PASS\x1b[m\x1b[KWORD=[secret DB_PASSWORD]\n"
    );
    assert_eq!(
        by_name("\x1b[35m.env\x1b[m\x1b[36m:\x1b[mAPI_\x1b[31mKEY\x1b[m\x1b[K=a\x1b[mbcdef\x1b[m\n"),
        "\x1b[35m.env\x1b[m\x1b[36m:\x1b[mAPI_\x1b[31mKEY\x1b[m\x1b[K=[secret API_KEY]\x1b[m\x1b[m\n"
    );
    assert_eq!(
        by_name("\x1b[1mAuthoriz\x1b[0mation\x1b[m: Bear\x1b[31mer abc\x1b[mdef\x1b[0m\n"),
        "\x1b[1mAuthoriz\x1b[0mation\x1b[m: Bear\x1b[31mer [secret Authorization]\x1b[m\x1b[0m\n"
    );
}

#[test]
fn wrapped_digits_are_put_together() {
    let text = "x".repeat(70) + SECRET + &"y".repeat(100);
    let encoded = STANDARD.encode(&text);
    for width in [20, 60, 64, 76] {
        let wrapped: Vec<&str> =
            encoded.as_bytes().chunks(width).map(|line| std::str::from_utf8(line).unwrap()).collect();
        for end in ["\n", "\r\n"] {
            let found = by_value(SECRET, &(wrapped.join(end) + end));
            assert!(found.contains("[secret TOKEN]"), "{width}: {found}");
        }
    }
    let digits = hex::encode(&text);
    let wrapped: Vec<&str> = digits.as_bytes().chunks(60).map(|line| std::str::from_utf8(line).unwrap()).collect();
    assert!(by_value(SECRET, &wrapped.join("\n")).contains("[secret TOKEN]"));
}

#[test]
fn every_line_of_a_key_is_masked_alone() {
    let key = "-----BEGIN KEY-----\nMIIEpAIBAAKCAQEA\nq8Zk\n-----END KEY-----\n";

    assert_eq!(by_value(key, key), "[secret TOKEN]\n".repeat(4));
    assert_eq!(by_value(key, "> MIIEpAIBAAKCAQEA\\nq8Zk"), "> [secret TOKEN]\\n[secret TOKEN]");
}

#[test]
fn what_stands_behind_a_secret_name_is_masked() {
    for (text, stored) in [
        ("DB_PASSWORD=hunter2\n", "DB_PASSWORD=[secret DB_PASSWORD]\n"),
        ("export apiKey='a b c d'\n", "export apiKey='[secret apiKey]'\n"),
        ("+ GHCR_TOKEN=ghp_abc docker login\n", "+ GHCR_TOKEN=[secret GHCR_TOKEN] docker login\n"),
        ("< APP_KEY=base64:abc==\n> APP_KEY=x1y2z\n", "< APP_KEY=[secret APP_KEY]\n> APP_KEY=[secret APP_KEY]\n"),
        ("\"SECRET_KEY=abcdef\",\n", "\"SECRET_KEY=[secret SECRET_KEY]\n"),
        ("url?a=b&token=abcdef&c=d\n", "url?a=b&token=[secret token]&c=d\n"),
        ("{\"password\": \"a \\\" b\", \"x\": 1}\n", "{\"password\": \"[secret password]\", \"x\": 1}\n"),
        ("{\"a\":1,\"apiToken\":\"abcd\"}", "{\"a\":1,\"apiToken\":\"[secret apiToken]\"}"),
        ("  - db_password: correct horse\n", "  - db_password: [secret db_password]\n"),
        ("token: abcdef # the old one\n", "token: [secret token] # the old one\n"),
        ("12:secret: abcdef\r\n", "12:secret: [secret secret]\r\n"),
        ("client_secret = \"abcdef\"\n", "client_secret = \"[secret client_secret]\"\n"),
        ("api_key=abcdefghijklmnopqrstuvwxyz0123456789", "api_key=[secret api_key]"),
        ("> Authorization: Bearer abc.def-ghi\r\n", "> Authorization: Bearer [secret Authorization]\r\n"),
        (
            "+ curl -H 'Authorization: Basic dXNlcjpwYXNzd29yZA==' https://host/\n",
            "+ curl -H 'Authorization: Basic [secret Authorization]' https://host/\n",
        ),
        (
            "{\"authorization\": \"Bearer eyJhbGciOiJIUzI1NiJ9.abc\", \"x\": 1}\n",
            "{\"authorization\": \"Bearer [secret authorization]\", \"x\": 1}\n",
        ),
        ("{\\\"Authorization\\\":\\\"Bearer abcd1234\n", "{\\\"Authorization\\\":\\\"Bearer [secret Authorization]\n"),
        ("PROXY-AUTHORIZATION:basic  YWJjZA==\n", "PROXY-AUTHORIZATION:basic  [secret PROXY-AUTHORIZATION]\n"),
        ("-H authorization=\"token ghp_1234\" -s\n", "-H authorization=\"token [secret authorization]\" -s\n"),
    ] {
        assert_eq!(by_name(text), stored);
    }
}

#[test]
fn prose_and_harmless_values_stay_as_they_are() {
    for text in [
        "The password: it was wrong\n",
        "Password: \nPassword for root: \n",
        "Key: press any key to continue\n",
        "token: unexpected end of file\n",
        "monkey=banana keyboard=qwerty tokens=123456\n",
        "secret: true\nkey: 12\ntoken=\nkeepalive=12345\n",
        "key == value, and if (token==other)\n",
        "password:\n  - token: |\n    - key: &anchor\n",
        "registry/key:latest\nhttps://key:8080/\n",
        "no secrets here\n",
        "Authorization: Basic\nAuthorization: Bearer \n",
        "authorization is needed: Bearer tokens expire\nBearer abcdefgh\n",
        "authorization: none Basic abcdefgh\n",
    ] {
        assert_eq!(by_name(text), text);
    }
}

#[test]
fn the_word_of_a_named_secret_stays_where_its_name_is_secret_too() {
    assert_eq!(
        by_value("hunter2", "DB_PASSWORD=hunter2\nPASSWORD=xhunter2y\n"),
        "DB_PASSWORD=[secret TOKEN]\nPASSWORD=[secret TOKEN]\n"
    );
}

#[test]
fn a_text_beside_the_output_is_searched_in_all_forms() {
    let mask = mask(&["hunter2"]);

    assert!(
        mask.finds_secret("/srv/hunter2/x") && mask.finds_secret("68756e74657232") && !mask.finds_secret("/srv/hunter")
    );
}

#[test]
fn endless_codes_inside_a_secret_cost_no_endless_memory() {
    let mut mask = mask(&["hunter2"]);
    mask.push(b"hunt");
    let handed_on: usize = (0..40).map(|_| mask.push(&b"\x1b[m".repeat(20_000)).len()).sum();

    assert!(handed_on > 1 << 20, "{handed_on}");
}

/// Every form that somebody might print.
fn printed(secret: &str) -> Vec<String> {
    let percent = |lower| {
        let digits = |byte: u8| if lower { format!("%{byte:02x}") } else { format!("%{byte:02X}") };
        secret
            .bytes()
            .map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { digits(byte) })
            .collect::<String>()
    };
    vec![
        secret.to_owned(),
        serde_json::to_string(secret).unwrap(),
        percent(true),
        percent(false),
        STANDARD.encode(secret),
        URL_SAFE.encode(format!("user:{secret}")),
        STANDARD.encode(format!("x{secret}yz")),
        hex::encode(secret),
        hex::encode_upper(secret),
        format!("'{}'", secret.replace('\'', "'\\''")),
    ]
}

fn coloured(text: &str) -> String {
    let mut all = String::new();
    for (at, character) in text.chars().enumerate() {
        if at % 3 == 1 {
            all.push_str("\x1b[01;31m\x1b[K");
        }
        all.push(character);
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_trace_is_left_of_a_secret_however_it_is_printed_and_cut(
        secret in "[!-~]{3}[ -~äß€]{3,20}[!-~]{2}",
        before in "[ -~\n]{0,30}",
        after in "[ -~\n]{0,30}",
        cuts in prop::collection::vec(1_usize..9, 1..6),
    ) {
        let mut filter = mask(&[&secret]);
        for form in printed(&secret) {
            for text in [format!("{before}\n{form} {after}"), format!("{before}\n{} {after}", coloured(&form))] {
                let mut rest = text.as_bytes();
                let mut pieces = Vec::new();
                for length in cuts.iter().cycle() {
                    let (piece, more) = rest.split_at((*length).min(rest.len()));
                    pieces.push(piece);
                    rest = more;
                    if rest.is_empty() { break; }
                }
                let stored = stored(&mut filter, pieces);
                let plain: Vec<u8> = {
                    let mut csi = csi::Csi::default();
                    stored.bytes().filter(|byte| csi.step(*byte) != csi::Is::Code).collect()
                };
                let plain = String::from_utf8_lossy(&plain).into_owned();
                for trace in printed(&secret) {
                    let trace = trace.trim_matches(['"', '\'', '=']);
                    prop_assert!(!plain.contains(trace), "{form:?} left {trace:?} in {plain:?}");
                }
                prop_assert!(plain.contains("[secret "), "{plain:?}");
            }
        }
    }

    #[test]
    fn text_without_secrets_is_the_same_to_the_byte(
        pieces in prop::collection::vec(prop::collection::vec(prop_oneof![
            Just(b'\x1b'), Just(b'['), Just(b'm'), Just(b'\n'), Just(b'='), Just(b':'), Just(b' '), b'0'..=b'9', any::<u8>()
        ], 0..40), 0..12),
    ) {
        let all: Vec<u8> = pieces.concat();
        for mut filter in [mask(&[]), mask(&["hunter2-is-not-in-it", "%%%%neither"])] {
            let mut stored = Vec::new();
            for piece in &pieces {
                stored.extend_from_slice(filter.push(piece));
            }
            stored.extend_from_slice(filter.flush());
            prop_assert_eq!(&stored, &all);
        }
    }
}

#[test]
fn a_text_beside_the_output_is_masked_like_the_output() {
    let secrets = vec![Secret { name: "token".to_owned(), value: "quiet-otters".to_owned(), used: false }];

    let text = super::masked("it said quiet-otters, and DB_PASSWORD=hunter2hunter2", secrets);

    assert!(text.contains("[secret token]"), "{text}");
    assert!(!text.contains("quiet-otters") && !text.contains("hunter2hunter2"), "{text}");
}
