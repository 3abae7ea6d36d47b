import assert from 'node:assert/strict';
import { test } from 'node:test';
import { total } from '../total.js';

test('a lesson without a rate is free', () => assert.equal(total([{ hours: 2, rate: 0 }]), 0));
