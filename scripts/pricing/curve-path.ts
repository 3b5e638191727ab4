/** A place in the picture, in its own units. */
export type Place = readonly [x: number, y: number];

export interface CurvePath {
  /** The pieces between jumps, as the data of an SVG path. */
  readonly pieces: readonly string[];
  /** Where the curve jumps: from the last place that still has the old amount, to where the new one begins. */
  readonly jumps: readonly (readonly [from: Place, to: Place])[];
}

/** Nothing that can be seen. */
const INVISIBLE = 0.05;
/** As a jump it would be a speck. */
const JUMP_LEAST = 1;

/** A curve that is cut where it jumps, and without the places that a straight line passes anyway. */
export function curvePath(places: readonly Place[]): CurvePath {
  const pieces: Place[][] = [];
  const jumps: (readonly [Place, Place])[] = [];
  for (const [index, place] of places.entries()) {
    const last = places[index - 1];
    const jumped = last && isJump(last, place);
    if (jumped) jumps.push([last, place]);
    if (jumped || !last) pieces.push([place]);
    else pieces.at(-1)?.push(place);
  }
  const lines = pieces.filter(({ length }) => length > 1);
  return { pieces: lines.map((piece) => pathData(thinOut(piece))), jumps };
}

const isJump = ([x, y]: Place, [nextX, nextY]: Place): boolean =>
  Math.abs(nextX - x) < INVISIBLE && Math.abs(nextY - y) > JUMP_LEAST;

/** Keeps the ends, and between them the place that is farthest from a straight line, as long as that can be seen. */
function thinOut(piece: readonly Place[]): readonly Place[] {
  const [first, last] = [piece[0], piece.at(-1)];
  if (!first || !last || piece.length <= 2) return piece;
  const away = piece.map((place) => distance(place, first, last));
  const farthest = away.indexOf(Math.max(...away));
  if ((away[farthest] ?? 0) <= INVISIBLE) return [first, last];
  return [...thinOut(piece.slice(0, farthest + 1)), ...thinOut(piece.slice(farthest)).slice(1)];
}

/** From the line through two places. */
function distance([x, y]: Place, [ax, ay]: Place, [bx, by]: Place): number {
  const length = Math.hypot(bx - ax, by - ay);
  if (length === 0) return Math.hypot(x - ax, y - ay);
  return Math.abs((bx - ax) * (ay - y) - (ax - x) * (by - ay)) / length;
}

const pathData = (places: readonly Place[]): string =>
  places.map(([x, y], index) => `${index === 0 ? 'M' : 'L'}${tidy(x)} ${tidy(y)}`).join(' ');

/** A tenth of a unit is finer than any screen. */
export const tidy = (coordinate: number): string => String(Math.round(coordinate * 10) / 10);
