//! curl, wget and httpie: what is asked of a server, and where the answer goes.

use domain::Risk::{Changes, Destroys, Disrupts, Reads};

use super::super::args::{Args, given, values};
use super::super::{Verdict, verbs, wrappers};
use super::value;
use crate::shell::Word;

/// The options of curl that send something.
const CURL_BODY: &[&str] = &[
    "-d",
    "-F",
    "-T",
    "--data",
    "--data-raw",
    "--data-binary",
    "--data-urlencode",
    "--data-ascii",
    "--form",
    "--form-string",
    "--upload-file",
    "--json",
];

pub(super) fn curl(args: &Args, words: &[Word]) -> Verdict {
    let sends = CURL_BODY.iter().any(|option| args.has(option)) && !args.has("-G") && !args.has("--get");
    // Behind `--next` stands another request.
    let methods = given(words, "-X|--request", values("curl")).into_iter().map(|word| word.text.to_uppercase());
    let mut methods: Vec<String> = methods.collect();
    if methods.is_empty() || methods.len() == 1 && args.has("--next") {
        methods.push(if sends { "POST".to_owned() } else { "GET".to_owned() });
    }
    if sends && methods == ["POST"] && is_search(args) {
        methods = vec!["GET".to_owned()];
    }
    let told = methods.iter().filter_map(|method| by_method("curl", method, words));
    let told = told.chain(acts(args, words)).reduce(Verdict::or_worse);
    if let Some(verdict) = told {
        return verdict;
    }
    // `-X GET` with a body is what search engines are asked with; an upload stays one.
    if ["-O", "--remote-name", "--remote-name-all", "-J"].iter().any(|option| args.has(option)) {
        return Verdict::new(Changes, "curl -O", "writes a file");
    }
    if given(words, "-w|--write-out", values("curl")).iter().any(|format| format.text.contains("%output{")) {
        return Verdict::new(Changes, "curl -w %output", "writes a file");
    }
    if args.has("-Q") || args.has("--quote") {
        return Verdict::new(Changes, "curl -Q", "tells the server something");
    }
    Verdict::new(
        Reads,
        if methods.iter().any(|method| method == "HEAD") || args.has("-I") { "curl -I" } else { "curl" },
        "only asks",
    )
}

/// Whether the addresses are some by which a search engine is asked, with a question in the body.
fn is_search(args: &Args) -> bool {
    let asks = |address: &String| {
        let path = address.split('?').next().unwrap_or_default();
        matches!(path.rsplit('/').next(), Some("_search" | "_count" | "_msearch"))
    };
    !args.positional.is_empty() && args.positional.iter().all(asks)
}

/// What the addresses tell a server to do, whatever the method is; with `-G` the body is a part of them.
fn acts(args: &Args, words: &[Word]) -> Option<Verdict> {
    let put_in = args.has("-G") || args.has("--get");
    let body = given(words, "-d|--data|--data-urlencode|--data-raw|--url-query", values("curl"));
    let body = body.into_iter().filter(|_| put_in).map(|word| format!("?{}", word.text));
    let given = given(words, "--url", values("curl")).into_iter().map(|word| word.text);
    let all = args.positional.iter().cloned().chain(given).chain(body);
    all.filter_map(|address| verbs::of_address(&args.shown, &address)).reduce(Verdict::or_worse)
}

/// What a method other than GET does.
fn by_method(shown: &str, method: &str, words: &[Word]) -> Option<Verdict> {
    let rule = format!("{shown} {method}");
    match method {
        "GET" | "HEAD" | "OPTIONS" | "TRACE" => None,
        "DELETE" => Some(Verdict::new(Destroys, rule, "asks the server to delete something")),
        _ => Some(match wrappers::spoken(words) {
            Some(word) => Verdict::new(
                Destroys,
                format!("{rule} … {word}"),
                format!("tells the server something that speaks of “{word}”"),
            ),
            None if words.iter().any(|word| {
                word.text.contains("/-/quit") || word.text.contains("restart") || word.text.contains("reload")
            }) =>
            {
                Verdict::new(Disrupts, rule, "tells the server to begin anew")
            }
            None => Verdict::new(Changes, rule, "tells the server something"),
        }),
    }
}

pub(super) fn wget(args: &Args, words: &[Word]) -> Verdict {
    let method = value(words, &["--method"]).map(str::to_uppercase);
    let posts = args.options.iter().any(|option| option.starts_with("--post-") || option.starts_with("--body-"));
    let method = method.unwrap_or_else(|| if posts { "POST".to_owned() } else { "GET".to_owned() });
    let told = by_method("wget", &method, words).into_iter().chain(acts(args, words));
    if let Some(verdict) = told.reduce(Verdict::or_worse) {
        return verdict;
    }
    let shown_only = args.has("--spider")
        || args.value(words, &["-O", "--output-document"]).is_some_and(|file| file == "-" || file == "/dev/null");
    if shown_only { Verdict::new(Reads, "wget", "only asks") } else { Verdict::new(Changes, "wget", "writes a file") }
}

pub(super) fn httpie(args: &Args, words: &[Word]) -> Verdict {
    acts(args, words).into_iter().fold(by_httpie(args), Verdict::or_worse)
}

fn by_httpie(args: &Args) -> Verdict {
    match args.word(0).to_uppercase().as_str() {
        "DELETE" => Verdict::new(Destroys, format!("{} DELETE", args.shown), "asks the server to delete something"),
        "POST" | "PUT" | "PATCH" => Verdict::new(Changes, args.shown.clone(), "tells the server something"),
        _ if args.positional.iter().skip(1).any(|word| word.contains('=')) => {
            Verdict::new(Changes, args.shown.clone(), "tells the server something")
        }
        _ => Verdict::new(Reads, args.shown.clone(), "only asks"),
    }
}
