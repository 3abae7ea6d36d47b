//! The evidence bundle of a run: one tar file that proves itself to whoever has the public key.
//!
//! | entry | what it is |
//! | --- | --- |
//! | `README.txt` | what this is, and how it is checked by hand |
//! | `public-key.pem` | the key, for convenience: whoever checks compares it with the one that they have |
//! | `checkpoint.json` | a [`SignedCheckpoint`] behind the last event of the run |
//! | `chain.jsonl` | what leads there: first `{"seq":…,"hash":…}`, the place before the first event of the run; then each event in the order of the chain, `{"record":"…"}` for those of the run and `{"digest":"…"}` for others |
//! | `outputs/STEP-ATTEMPT.log` | the stored output of each attempt that has ended, byte for byte |
//!
//! [`SignedCheckpoint`]: domain::audit::SignedCheckpoint

mod check;
mod write;

pub use check::{BadBundle, BoundOutput, Proof, check};
pub use write::{BundleWriter, ChainWriter};

use domain::AttemptId;
use serde::{Deserialize, Serialize};

const README: &str = "README.txt";
const KEY: &str = "public-key.pem";
const CHECKPOINT: &str = "checkpoint.json";
const CHAIN: &str = "chain.jsonl";

/// The first line of `chain.jsonl`: the place before the first event of the run.
#[derive(Debug, Serialize, Deserialize)]
struct Before {
    seq: u64,
    hash: String,
}

/// Each other line of `chain.jsonl`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    /// The stored bytes of an event of the run.
    Record(String),
    /// The SHA-256 of an event of something else.
    Digest(String),
}

/// The entry with the output of an attempt.
fn output_name(id: AttemptId) -> String {
    format!("outputs/{}-{}.log", id.step, id.attempt)
}
