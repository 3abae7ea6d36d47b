// The bundled document, in our own words: each of its thirteen procedures against the practice machine, from signing in to the verdict.
import { theThirteen } from './thirteen/suite.ts';

theThirteen('own');
