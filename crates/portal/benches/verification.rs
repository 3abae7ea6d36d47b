//! How fast a long record is verified, against reading it and hashing it once.
//!
//! `make bench` runs it before the figures of the binary, which takes what is written to `target/bench/record.json` into its table.
//!
//! - `PORTAL_BENCH_ROUNDS=n`: how often it is verified (3)

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a measurement that prints what it has found")]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use audit::{CheckpointFolder, Signer};
use domain::audit::Checkpoint;
use domain::policy::{Actor, Role};
use domain::run::Who;
use domain::time::thousands;
use domain::{Digest, Timestamp};
use futures::TryStreamExt as _;
use portal::{CheckpointSettings, KeptRecord};
use sha2::{Digest as _, Sha256};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection as _, SqliteConnection};
use store::Store;
use testkit::times;

/// Events of a large portal over years.
const EVENTS: u64 = 1_000_000;

/// Events of one transaction while the record is made.
const TOGETHER: u64 = 20_000;

/// The most seconds that it may take.
const GOAL: u32 = 10;

fn main() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let place = tempfile::tempdir().unwrap();
    runtime.block_on(make(place.path()));
    let mut rounds = Vec::new();
    for _ in 0..times::<u32>("PORTAL_BENCH_ROUNDS", 3) {
        let verified = runtime.block_on(verify(place.path())).as_secs_f64();
        let floor = runtime.block_on(read_and_hash(place.path())).as_secs_f64();
        println!(
            "audit verify: {} events in {verified:.1} s; reading and hashing their records once takes {floor:.1} s: \
             a ratio of {:.1}",
            thousands(EVENTS),
            verified / floor
        );
        rounds.push(serde_json::json!({ "found": verified, "floor": floor }));
    }
    keep(&rounds);
}

/// Keeps the figure for the table that is put together from all of them.
fn keep(rounds: &[serde_json::Value]) {
    let name = format!("audit verification of {} events", thousands(EVENTS));
    let figure = serde_json::json!({ "name": name, "unit": "s", "goal": GOAL, "rounds": rounds });
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| project.join("target"), PathBuf::from);
    let folder = target.join("bench");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("record.json"), serde_json::json!([figure]).to_string()).unwrap();
}

/// A data folder with a long record and a checkpoint at its end.
async fn make(data: &Path) {
    let store = Store::open(&data.join("portal.db"), Timestamp(0)).await.unwrap();
    let who = Who::Person(Actor::new("0123456789abcdef".into(), "Olga Operator".to_owned(), Role::Operator));
    // About as long as an event of a run is.
    let text = "the services are up again and answer, as the last line of the output says; ".repeat(3);
    for piece in 0..EVENTS / TOGETHER {
        let mut write = store.begin().await.unwrap();
        for number in 0..TOGETHER {
            let body = serde_json::json!({ "number": piece * TOGETHER + number, "text": text });
            write.audit(Some(&who), Timestamp(1_700_000_000_000), "noted", body).await.unwrap();
        }
        write.commit().await.unwrap();
    }
    let head = store.chain_head().await.unwrap();
    store.close().await;
    let (signer, folder) = (Signer::new([7; 32]), CheckpointFolder::new(data.join("checkpoints")));
    folder.prepare(&signer.public()).unwrap();
    let checkpoint = Checkpoint { seq: head.seq, head: Digest::parse(&head.hash).unwrap(), at: Timestamp(0) };
    folder.append(&signer.sign(checkpoint)).unwrap();
}

/// What cannot be avoided: every record is read and hashed.
async fn read_and_hash(data: &Path) -> Duration {
    let options = SqliteConnectOptions::new().filename(data.join("portal.db")).read_only(true);
    let mut database = SqliteConnection::connect_with(&options).await.unwrap();
    let begun = Instant::now();
    let mut records = sqlx::query_scalar::<_, String>("SELECT record FROM events ORDER BY seq").fetch(&mut database);
    let mut hash = Sha256::new();
    while let Some(record) = records.try_next().await.unwrap() {
        hash.update(record);
    }
    assert_eq!(hash.finalize().len(), 32);
    begun.elapsed()
}

async fn verify(data: &Path) -> Duration {
    let begun = Instant::now();
    let key = data.join("checkpoints/public-key.pem");
    let record = KeptRecord::open(data, &CheckpointSettings::default(), Some(&key)).await.unwrap();
    let verification = record.verify(|_, _| {}).await.unwrap();
    assert_eq!((verification.events, verification.findings.len()), (EVENTS + 1, 0), "{verification:?}");
    begun.elapsed()
}
