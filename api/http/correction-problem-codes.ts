/** Problems of corrections by filter and of imports: a part of `PROBLEM_CODES`, ordered by status. */
export const CORRECTION_PROBLEM_CODES = {
  invalid_correction: {
    status: 400,
    title: 'The correction cannot be made as it is',
    mend: 'Mend every violation that the answer names.',
  },
  invalid_import: {
    status: 400,
    title: 'The import, or a part of it, cannot be taken as it is',
    mend: 'Mend every violation that the answer names.',
  },
  correction_not_found: {
    status: 404,
    title: 'There is no such correction',
    mend: 'Look at `GET /v1/corrections`.',
  },
  import_not_found: {
    status: 404,
    title: 'There is no such import',
    mend: 'Look at `GET /v1/imports`.',
  },
  correction_not_possible: {
    status: 409,
    title: 'The correction is not in a state in which that can be done',
    mend: 'Look at its state: one that goes on can be canceled, one that has ended can be undone.',
  },
  import_not_possible: {
    status: 409,
    title: 'The import is not in a state in which that can be done',
    mend: 'Look at its state: parts are taken until it is applied, and what was applied can be undone.',
  },
  import_has_violations: {
    status: 409,
    title: 'Lines of the import are refused',
    mend: 'Send the parts again without them, mended, or apply it with `skipRefused`.',
  },
  too_many_events: {
    status: 422,
    title: 'More events are meant than one call changes',
    mend: 'Ask for a shorter time, or for fewer subjects, and go on with the rest.',
  },
} as const;
