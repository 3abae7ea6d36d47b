// The user's own file, byte for byte: each of its thirteen procedures against the practice machine, from signing in to the verdict.
import { theThirteen } from './thirteen/suite.ts';

theThirteen('users');
