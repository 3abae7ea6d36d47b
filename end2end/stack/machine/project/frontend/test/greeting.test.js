import assert from 'node:assert/strict';
import { test } from 'node:test';
import { greeting } from '../greeting.js';

test('who is known is greeted by name', () => assert.equal(greeting('Ada'), 'Welcome, Ada'));

test('who is not known is greeted all the same', () => assert.equal(greeting(''), 'Welcome'));
