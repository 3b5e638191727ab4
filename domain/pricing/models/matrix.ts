import { Decimal, ZERO } from '../../money/decimal.ts';
import { DIMENSION_VALUE_BYTES_MAX, MATRIX_CELLS_MAX, METER_DIMENSIONS_MAX } from '../../limits.ts';
import { pointerStep, type Violation } from '../../violation.ts';
import type { MatrixPrice } from '../charge.ts';
import { checkNumber, checkOptional, violation } from '../check-number.ts';
import { noBends, type ModelDefinition } from '../model.ts';

type Dimensions = Readonly<Record<string, string>>;

const valueOf = (dimensions: Dimensions, name: string): string =>
  Object.hasOwn(dimensions, name) ? (dimensions[name] ?? '') : '';

/** A cell by the values of the price's dimensions, in their order; a group without one of them has the value "". */
const cellKey = (names: readonly string[], dimensions: Dimensions): string =>
  names.length === 1
    ? valueOf(dimensions, names[0] ?? '')
    : JSON.stringify(names.map((name) => valueOf(dimensions, name)));

/** The unit price depends on the group. Worked: 0.08 on aws, 0.10 on gcp, else 0.12; 100 on aws and 5 elsewhere are 8 + 0.60. */
export const matrix: ModelDefinition<MatrixPrice> = {
  check: (price, pointer) => [
    ...checkDimensions(price.dimensions, `${pointer}/dimensions`),
    ...checkCells(price, `${pointer}/cells`),
    ...checkOptional(`${pointer}/defaultUnitPrice`, price.defaultUnitPrice),
  ],
  prepare: ({ dimensions: names, cells, defaultUnitPrice }) => {
    const prices = new Map(
      cells.map(({ match, unitPrice }) => [cellKey(names, match), new Decimal(unitPrice)]),
    );
    const otherwise = defaultUnitPrice == null ? ZERO : new Decimal(defaultUnitPrice);
    return {
      model: 'matrix',
      input: 'groups',
      due: 'each',
      linear: true,
      bends: noBends,
      rate: ({ from, to }, dimensions) => {
        const found = prices.get(cellKey(names, dimensions));
        const unitPrice = found ?? otherwise;
        const quantity = from.isZero() ? to : to.minus(from);
        const amount = quantity.times(unitPrice);
        const label = found ? 'cell' : 'no cell';
        return [{ kind: 'usage', label, tier: undefined, quantity, unitPrice, amount }];
      },
    };
  },
};

function checkDimensions(names: readonly string[], pointer: string): Violation[] {
  if (names.length === 0 || names.length > METER_DIMENSIONS_MAX)
    return [
      violation(pointer, 'wrong_number_of_dimensions', `needs 1 to ${METER_DIMENSIONS_MAX} dimensions`),
    ];
  return names.flatMap((name, index) =>
    names.indexOf(name) < index
      ? [violation(`${pointer}/${index}`, 'duplicate_dimension', 'is named before')]
      : [],
  );
}

function checkCells({ dimensions: names, cells }: MatrixPrice, pointer: string): Violation[] {
  if (cells.length > MATRIX_CELLS_MAX)
    return [violation(pointer, 'too_many_cells', `has more than ${MATRIX_CELLS_MAX} cells`)];
  const seen = new Set<string>();
  return cells.flatMap(({ match, unitPrice }, index) => {
    const key = cellKey(names, match);
    const duplicate = seen.has(key);
    seen.add(key);
    return [
      ...checkMatch(names, match, `${pointer}/${index}/match`),
      ...(duplicate
        ? [violation(`${pointer}/${index}/match`, 'duplicate_cell', 'is priced by a cell before')]
        : []),
      ...checkNumber(`${pointer}/${index}/unitPrice`, unitPrice),
    ];
  });
}

const checkMatch = (names: readonly string[], match: Dimensions, pointer: string): Violation[] => [
  ...names.flatMap((name) =>
    Object.hasOwn(match, name)
      ? []
      : [violation(pointer, 'dimension_missing', `must say its ${JSON.stringify(name)}`)],
  ),
  ...Object.entries(match).flatMap(([name, value]) => [
    ...(names.includes(name)
      ? []
      : [violation(`${pointer}/${pointerStep(name)}`, 'unknown_dimension', 'is no dimension of the price')]),
    ...(Buffer.byteLength(value) > DIMENSION_VALUE_BYTES_MAX
      ? [
          violation(
            `${pointer}/${pointerStep(name)}`,
            'too_long',
            `has more than ${DIMENSION_VALUE_BYTES_MAX} bytes`,
          ),
        ]
      : []),
  ]),
];
