import { PROBLEM_CODES, type ProblemCode } from './problem-codes.ts';

/** One thing that is wrong with a request. */
export interface Violation {
  /** Where: a JSON pointer into the body (`/tiers/0/upTo`), or `query:<name>`, `path:<name>`, `header:<name>`. */
  readonly pointer: string;
  readonly code: string;
  /** What is wrong, so that it can be mended. */
  readonly message: string;
}

/** More would help nobody, and a body can hold very many. */
export const VIOLATIONS_MAX = 50;

interface ProblemExtras {
  readonly violations?: readonly Violation[];
  readonly headers?: Readonly<Record<string, string>>;
  /** Further members of the document, such as what a refused reservation says of its limit. */
  readonly members?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

/** An answer other than success, as RFC 9457 describes it: thrown anywhere in a request, answered in one place. */
export class Problem extends Error {
  readonly code: ProblemCode;
  readonly violations: readonly Violation[];
  readonly headers: Readonly<Record<string, string>>;
  readonly members: Readonly<Record<string, unknown>>;

  constructor(code: ProblemCode, detail: string, extras: ProblemExtras = {}) {
    super(detail, extras.cause === undefined ? undefined : { cause: extras.cause });
    this.name = 'Problem';
    this.code = code;
    this.violations = extras.violations ?? [];
    this.headers = extras.headers ?? {};
    this.members = extras.members ?? {};
  }

  get status(): number {
    return PROBLEM_CODES[this.code].status;
  }
}

/** The document that is answered, `application/problem+json`. */
export function problemDocument(problem: Problem) {
  const { status, title } = PROBLEM_CODES[problem.code];
  return {
    ...problem.members,
    type: `/docs/problems#${problem.code}`,
    title,
    status,
    detail: problem.message,
    code: problem.code,
    violations: problem.violations.slice(0, VIOLATIONS_MAX),
  };
}
export type ProblemDocument = ReturnType<typeof problemDocument>;
