//! Every value arrives byte for byte in every place where a placeholder can stand, in bash, dash and busybox: each command is
//! bound by the real code and run by the real shell, with the value in its environment.

#![expect(clippy::unwrap_used, reason = "a test")]

use std::fmt::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use runbook::bind;

/// Writes its words to its output, each with a NUL behind it; without words a NUL, which ends what another program wrote.
const SHOW: &str = "[ $# -gt 0 ] || printf '\\0'\nfor word do printf '%s\\0' \"$word\"; done\n";

/// Where a placeholder can stand, with what a program is then given; `@` is the value.
const EVERYWHERE: &[(&str, &[&str])] = &[
    ("show VALUE", &["@"]),
    ("program VALUE", &["@"]),
    ("program --archive=/srv/VALUE 'see VALUE'", &["--archive=/srv/@", "see @"]),
    ("show VALUE VALUE", &["@", "@"]),
    ("show /srv/VALUE/current", &["/srv/@/current"]),
    ("show --archive=VALUE", &["--archive=@"]),
    ("printf '%s\\0' VALUE:VALUE", &["@:@"]),
    ("show ~/VALUE", &["/home/x/@"]),
    ("printf '%s\\0' http://host:80/VALUE?x=VALUE", &["http://host:80/@?x=@"]),
    ("show \"http://host/?x=VALUE&y=[1]{2}\"", &["http://host/?x=@&y=[1]{2}"]),
    ("show \"see VALUE now\"", &["see @ now"]),
    ("show 'see VALUE now'", &["see @ now"]),
    ("printf '%s\\0' a\"b VALUE c\"'d VALUE'e", &["ab @ cd @e"]),
    ("show \"it's VALUE\"", &["it's @"]),
    ("show 'say \"VALUE\"'", &["say \"@\""]),
    ("show \"\\\"VALUE\\\"\"", &["\"@\""]),
    ("show \\\n  VALUE", &["@"]),
    ("x=VALUE; show \"$x\"", &["@"]),
    ("x=a/VALUE/b; show \"$x\"", &["a/@/b"]),
    ("x=\"a VALUE\"; show \"$x\"", &["a @"]),
    ("X=VALUE sh -c 'program \"$X\"'", &["@"]),
    ("env X=VALUE sh -c 'program \"$X\"'", &["@"]),
    ("export X=VALUE; show \"$X\"", &["@"]),
    ("readonly R=VALUE; show \"$R\"", &["@"]),
    ("f() { local l=VALUE; show \"$l\" \"$1\"; }; f VALUE", &["@", "@"]),
    ("for x in a VALUE; do show \"$x\"; done", &["a", "@"]),
    ("while show VALUE; do break; done", &["@"]),
    ("if [ -n VALUEx ]; then show VALUE; fi", &["@"]),
    ("[ x = VALUE ] || show VALUE", &["@"]),
    ("( cd . && show VALUE )", &["@"]),
    ("{ show VALUE; }", &["@"]),
    ("show VALUE | cat", &["@"]),
    ("show VALUE 2>&1", &["@"]),
    ("show VALUE &\nwait", &["@"]),
    ("! show VALUE", &["@"]),
    ("case VALUE in *) show VALUE;; esac", &["@"]),
    ("case \"$given\" in VALUE) show matched;; *) show VALUE;; esac", &["matched"]),
    ("case 'a*b' in a*VALUE'?') show matched;; *) show VALUE;; esac", &["@"]),
    ("show \"$(printf '%s.' VALUE)\"", &["@."]),
    ("show \"a $(printf '%s.' \"b VALUE\") c\"", &["a b @. c"]),
    ("show \"`printf '%s.' VALUE`\"", &["@."]),
    ("x=`printf '%s.' VALUE`; show \"$x\"", &["@."]),
    ("x=`printf '%s.' \"a VALUE\"`; show \"$x\"", &["a @."]),
    ("x=`printf '%s.' 'a VALUE'`; show \"$x\"", &["a @."]),
    ("x=$(printf '%s.' \"$(printf '%s.' VALUE)\"); show \"$x\"", &["@.."]),
    ("cat <<EOF\nsee VALUE now\nEOF\nshow", &["see @ now\n"]),
    ("cat <<-EOF\n\tsee VALUE now \"VALUE\" 'VALUE'\n\tEOF\nshow", &["see @ now \"@\" '@'\n"]),
    ("cat <<EOF | cat\n$(printf '%s.' VALUE)\nEOF\nshow", &["@.\n"]),
    ("cat <<EOF && show VALUE\nVALUE\nEOF", &["@\n@"]),
    ("printf '%s\\0' VALUE", &["@"]),
    ("printf %s VALUE > out; cat out; rm out; show", &["@"]),
];

/// What only bash knows.
const IN_BASH: &[(&str, &[&str])] = &[
    ("show $'see\\t VALUE now'", &["see\t @ now"]),
    ("show $\"see VALUE now\"", &["see @ now"]),
    ("a=(x VALUE 'y VALUE'); show \"${a[@]}\"", &["x", "@", "y @"]),
    ("a[1]=VALUE; show \"${a[1]}\"", &["@"]),
    ("declare -A m; m[k]=VALUE; show \"${m[k]}\"", &["@"]),
    ("a=(x); a+=(VALUE); show \"${a[1]}\"", &["@"]),
    ("x=a; x+=VALUE; show \"$x\"", &["a@"]),
    ("declare -r x1=VALUE; show \"$x1\"", &["@"]),
    ("cat <<< VALUE; show", &["@\n"]),
    ("cat <<< \"see VALUE\"; show", &["see @\n"]),
    ("cat <(printf %s VALUE); show", &["@"]),
    ("cat < <(printf %s VALUE); show", &["@"]),
    ("printf %s VALUE > >(cat); wait $!; show", &["@"]),
    ("diff <(printf '%s\\n' VALUE) <(printf '%s\\n' 'VALUE') && show same", &["same"]),
    ("[[ $given == VALUE ]] && show matched", &["matched"]),
    ("[[ $given != VALUE ]] || show matched", &["matched"]),
    ("[[ -n x && VALUE = VALUE ]] && show VALUE", &["@"]),
    ("[[ $given =~ ^VALUE$ ]] && show matched", &["matched"]),
    ("[[ 'axb' == a*VALUE'?' ]] || show VALUE", &["@"]),
    ("show {a,VALUE}", &["a", "@"]),
    ("show VALUE |& cat", &["@"]),
    ("function g { show VALUE; }; g", &["@"]),
    ("time show VALUE", &["@"]),
];

fn values() -> Vec<String> {
    let mut values: Vec<String> = [
        "$(touch x)",
        "`touch x`",
        "${given}",
        "$value",
        "$value$value",
        "$((1+1))",
        "$[1+1]",
        "${value@P}",
        "\\$(touch x)",
        "\"$(touch x)\"",
        "'$(touch x)'",
        "\"; touch x; \"",
        "'; touch x; '",
        "; touch x",
        "| touch x",
        "& touch x",
        "&& touch x",
        "> x",
        ">x",
        "< x",
        ">(touch x)",
        "<(touch x)",
        "\ntouch x\n",
        "\n\n",
        "line\n",
        "\nline",
        "a\nb\nc",
        "'",
        "\"",
        "`",
        "\\",
        "\\\\",
        "\\'",
        "\\\"",
        "\\n",
        "\\0",
        "\\x41",
        "\\c",
        "'\"'\"'",
        "\"'\"'\"",
        "$'\\n'",
        "$\"x\"",
        "-n",
        "-e",
        "-rf",
        "--",
        "--help",
        "-",
        "*",
        "?",
        "[a-z]*",
        "[!x]",
        "*/*",
        "**",
        "{a,b}",
        "{1..9}",
        "~",
        "~root",
        "~/x",
        "!",
        "!!",
        "!$",
        "^a^b",
        "#",
        "# x",
        "a #b",
        "a=b",
        "value=x",
        "IFS=x",
        "%",
        "%s%n%d",
        "%%",
        "a b",
        "  a  b  ",
        " ",
        "   ",
        "\t",
        "\ttab",
        "EOF",
        "\nEOF\n",
        "\nEOF\ntouch x\n",
        "VALUE",
        "VALUE VALUE",
        "(",
        ")",
        "(touch x)",
        "{ touch x; }",
        "[[",
        "]]",
        "a]",
        "a[0]",
        "a[$(touch x)]",
        "1",
        "0",
        "-1",
        "010",
        "0x10",
        "true",
        "/",
        "/etc/passwd",
        "../..",
        "a//b",
        "\u{202e}gnp.exe",
        "\u{200b}",
        "a\u{200f}\u{200e}b",
        "\u{feff}",
        "\u{a0}",
        "\u{2028}\u{2029}",
        "\u{85}",
        "🚀",
        "👩‍👩‍👧‍👦",
        "e\u{301}",
        "é",
        "ß",
        "漢字",
        "עברית",
        "\u{1b}[31m",
        "\u{7}",
        "\u{8}",
        "\u{7f}",
        "a\rb",
        "\r\n",
        "\u{1}\u{2}\u{3}",
        "\u{10ffff}",
        "\u{e000}",
        "\u{fffd}",
    ]
    .map(str::to_owned)
    .to_vec();
    // Every byte that text can hold, and a character of every length in UTF-8.
    values.push((1_u8..128).map(char::from).collect());
    values.push(('\u{80}'..='\u{7ff}').collect());
    values.push(['\u{800}', '\u{fff}', '\u{ffff}', '\u{10000}', '\u{10fffe}'].iter().collect());
    values.push("'\"$(touch x)`\n ".repeat(96 * 1024 / 15));
    values.push(String::new());
    values
}

/// One script for all places: a place's number, then what its program was given.
fn script(places: &[(&str, &[&str])]) -> String {
    // As a function it is called a hundred times faster than as a program.
    let mut script = format!("show() {{\n{SHOW}}}\n");
    for (number, (command, _)) in places.iter().enumerate() {
        let bound = bind(command, &[("VALUE", "value")]).unwrap_or_else(|error| panic!("{command}: {error}"));
        // `eval` as the driver of a step does it, so that one place ends where the next begins.
        let quoted = bound.replace('\'', "'\\''");
        writeln!(script, "printf '<%s>\\0' {number}; command eval '{quoted}'").unwrap();
    }
    script
}

/// What the script writes when every place is given the value.
fn expected(places: &[(&str, &[&str])], value: &str) -> Vec<Vec<u8>> {
    let words = |words: &[&str]| words.iter().map(|word| word.replace('@', value) + "\0").collect::<String>();
    (0..).zip(places).map(|(number, (_, given))| format!("<{number}>\0{}", words(given)).into_bytes()).collect()
}

fn run(shell: &[&str], script: &str, value: &str, bin: &Path) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = format!("{}:/usr/bin:/bin", bin.display());
    let output = Command::new(shell[0])
        .args(&shell[1..])
        .args(["-c", script])
        .env_clear()
        .env("PATH", path)
        .env("HOME", "/home/x")
        .env("LC_ALL", "C.UTF-8")
        .env("value", value)
        .env("given", value)
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "{shell:?} executed a part of {value:?}");
    output.stdout
}

/// The first place at which the output is another than it should be.
fn first_difference(output: &[u8], wanted: &[Vec<u8>]) -> Option<usize> {
    let mut rest = output;
    wanted.iter().position(|piece| match rest.strip_prefix(piece.as_slice()) {
        Some(after) => {
            rest = after;
            false
        }
        None => true,
    })
}

fn shown(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).chars().take(200).collect()
}

/// Every value in every place of one shell.
fn arrive(shell: &[&str], places: &[(&str, &[&str])]) {
    let bin = tempfile::tempdir().unwrap();
    let program = bin.path().join("program");
    std::fs::write(&program, format!("#!/bin/sh\n{SHOW}")).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    // The text is made once: no byte of it depends on a value.
    let script = script(places);
    let values = values();

    for value in &values {
        let found = run(shell, &script, value, bin.path());
        let wanted = expected(places, value);
        if let Some(place) = first_difference(&found, &wanted) {
            panic!("{:?} went wrong with {:?}: {:?}", places[place].0, shown(value.as_bytes()), shown(&found));
        }
        assert_eq!(found.len(), wanted.concat().len(), "more came than should with {:?}", shown(value.as_bytes()));
    }
    assert!(values.len() >= 80 && places.len() >= 45);
}

#[test]
fn every_value_arrives_in_every_place_of_bash() {
    arrive(&["bash", "--norc", "--noprofile"], &[EVERYWHERE, IN_BASH].concat());
}

#[test]
fn every_value_arrives_in_every_place_of_dash() {
    arrive(&["dash"], EVERYWHERE);
}

#[test]
fn every_value_arrives_in_every_place_of_busybox() {
    arrive(&["busybox", "sh"], EVERYWHERE);
}
