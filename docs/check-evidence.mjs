// Checks the evidence bundle of a run with nothing of the portal:  node check-evidence.mjs BUNDLE.tar PUBLIC-KEY.pem
import { createHash, createPublicKey, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';

const [bundle, key] = process.argv.slice(2).map((name) => readFileSync(name));
const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');
const need = (holds, why) => holds || (console.error(`NOT PROVEN: ${why}`), process.exit(1));

// A tar file: a block of 512 bytes with name and length, then the bytes, filled up to whole blocks.
const files = new Map();
for (let at = 0; bundle[at]; ) {
  const field = (from, length) => bundle.toString('utf8', at + from, at + from + length).split('\0')[0];
  const length = parseInt(field(124, 12), 8);
  files.set(field(0, 100), bundle.subarray(at + 512, at + 512 + length));
  at += 512 + Math.ceil(length / 512) * 512;
}

const { seq, head, at, signature } = JSON.parse(files.get('checkpoint.json'));
const signed = Buffer.from(`runbook-portal checkpoint 1\n${seq}\n${head}\n${at}\n`);
need(verify(null, signed, createPublicKey(key), Buffer.from(signature, 'hex')), 'this key has not signed the checkpoint');

const [before, ...chain] = files.get('chain.jsonl').toString().trimEnd().split('\n').map((line) => JSON.parse(line));
const digests = chain.map(({ record, digest }) => digest ?? sha256(record));
need(before.seq + chain.length === seq, 'events are missing, or too many');
need(digests.reduce((hash, digest) => sha256(`${hash}\n${digest}`), before.hash) === head, 'an event was changed');

const records = chain.filter(({ record }) => record).map(({ record }) => JSON.parse(record));
need(records.every(({ stream, version }, index) => stream === records[0].stream && version === index + 1), 'an event is missing');

const bound = new Map();
for (const { event } of records) {
  const says = { attempt_ended: event.exit, attempt_interrupted: event, output_redacted: event }[event.kind];
  if (says) bound.set(`outputs/${event.step}-${event.attempt}.log`, { bytes: says.bytes, output: says.new ?? says.output });
}
for (const [name, { bytes, output }] of bound) {
  const file = files.get(name) ?? Buffer.alloc(0);
  need(!output || (file.length === bytes && sha256(file) === output), `${name} is not what was printed`);
}

console.log(`${records[0].stream}: ${records.length} events and ${bound.size} outputs are as they were on ${new Date(at).toISOString()}.`);
for (const { at, by, event } of records) console.log(new Date(at).toISOString(), by.name ?? 'the portal', event.kind);
