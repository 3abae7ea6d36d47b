// What a procedure is to the specs that work through all thirteen of them: data, in the order in which a person does it.
import type { Stage } from './stage.ts';

/** The two documents: the user's own, and the one that comes with the portal. */
export type Which = 'users' | 'own';

/** One start within a step, and how it comes out. */
export interface Deed {
  /** The choice of the document that is taken, by the first words of its comment. */
  choice?: string;
  /** The commands that run until somebody ends them, by number: each once it is seen as a screen, or once it has said something. */
  watches?: ({ command: number } & ({ screen: true } | { said: string }))[];
  /** The command that asks something, what it says when it does, and the line that answers it. */
  asks?: { command: number; says: string; answer: string };
  /** Where the step stands afterwards; ok when absent. */
  comesTo?: string | RegExp;
  /** What its output says. */
  says?: (string | RegExp)[];
  /** The command that is then skipped, and why: the next start goes on behind it. */
  skips?: { command: number; because: string };
}

/** A step, by its title in the document. */
export interface Step {
  title: string;
  /** Its place in the plan, where that is not the next one. */
  place?: number;
  /** What has to happen before, in the world and not on the page. */
  first?: (stage: Stage) => void | Promise<void>;
  /** What a lead approves first, one after the other: a choice, or the step as a whole; with what the lead is shown. */
  approved?: { choice?: string; shown?: (string | RegExp)[] }[];
  /** Values that are known only now, by the label of their field. */
  values?: Record<string, string | (() => string)>;
  /** A step that a person does: its lines are ticked, the one that begins so with a note. */
  byHand?: { line: string; note: string } | true;
  /** The starts of a step with commands; one that comes out well when absent. */
  deeds?: Deed[];
  /** A step that is passed over, and why. */
  skipped?: string;
  /** A step that is not in the document: its commands. The title says what it is for. */
  added?: string;
  /** What is true afterwards, in the world. */
  then?: (stage: Stage) => void | Promise<void>;
}

/** A run, from its start to its verdict. */
export interface Course {
  /** The target that is chosen, where there is a choice. */
  target?: string;
  /** Values by the label of their field. */
  values?: Record<string, string>;
  /** Starts the run in another way than from the page of the procedure. */
  start?: (stage: Stage) => Promise<number>;
  /** All steps of the plan in order, the rollback last. */
  steps: Step[];
  /** The rollback, once the outcome was found as the document expects it. */
  rollback?: Step[];
  /** What is waited for before the outcome is looked at: that the world has come to rest. */
  rest?: (stage: Stage) => void | Promise<void>;
  verdict: 'reached' | 'not reached' | 'rolled back' | 'aborted';
  /** Why, unless it was reached. */
  comment?: string;
}

/** What of the machine can be down, besides the way to it. */
export type Part = 'engine' | 'prometheus' | 'registry' | 'proxy';

/** Something of the machine is down: the step that needs it, and what it says. */
export interface Down {
  what: Part;
  /** The target that is chosen, where there is a choice. */
  target?: string;
  /** Values that the step needs, by the label of their field. */
  values?: Record<string, string>;
  /** The steps before it that have to be done, and can be, by their place. */
  before?: number[];
  /** The step that cannot succeed, by its place and title; absent where only the expected outcome needs what is down. */
  step?: { place: number; title: string };
  /** Commands of that step that are skipped first: they have nothing to do with what is down. */
  skips?: number[];
  /** The choice of the document that is taken, by the first words of its comment. */
  choice?: string;
  /** What its output says, where the portal itself says nothing besides the exit code. */
  says?: RegExp;
}

/** What docker and docker-compose say without an engine. */
export const noEngine = /docker daemon|DockerException|docker\.sock|connection refused|Couldn't connect/i;

/** What they say without the registry. */
export const away = /ghcr\.io|refused|no route|timeout/i;

/** What is done with one document. */
export interface Way {
  /** One run, or several one after the other. */
  courses: Course[];
  /** The first step that goes to the machine, by its place and title. */
  reaches: { place: number; title: string };
  down?: Down[];
}

export interface Procedure {
  number: number;
  slug: string;
  title: string;
  /** So short on the bundled document that it is a part of every test run. */
  quick?: true;
  /** What the procedure is there for, after the machine was brought back to its beginning. */
  trouble?: (stage: Stage) => void | Promise<void>;
  /** Facts of the machine that are compared, by a name. */
  facts: () => Record<string, string[]>;
  /** What must be so after all runs. */
  proves: (before: Record<string, string[]>, after: Record<string, string[]>, stage: Stage) => void | Promise<void>;
  users: Way;
  own: Way;
}
