/** A 32-bit mixer: what looks like chance is the same in every process, without a file. */
export function mix(value: number): number {
  let bits = (value ^ 0x9e3779b9) >>> 0;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}
