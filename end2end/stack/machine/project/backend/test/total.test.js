import assert from 'node:assert/strict';
import { test } from 'node:test';
import { total } from '../total.js';

test('a week without lessons costs nothing', () => assert.equal(total([]), 0));

test('lessons are counted by the hour', () => assert.equal(total([{ hours: 2, rate: 30 }, { hours: 1, rate: 25 }]), 85));
