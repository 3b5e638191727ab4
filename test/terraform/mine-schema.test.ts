import { expect } from 'chai';
import { mineType, UnknownBinding } from '../../terraform/offline-provider/mine-schema.ts';

/** A resource as the generator of the bindings writes it, cut down to what is read. */
const SOURCE = `
export function thingPolicyToHclTerraform(struct?: any): any {
  const attrs = {
    attempts: {
      value: cdktf.numberToHclTerraform(struct!.attempts),
      isBlock: false,
      type: "simple",
      storageClassType: "number",
    },
  };
}

export class ThingPolicyOutputReference extends cdktf.ComplexObject {
  // attempts - computed: false, optional: true, required: false
  private _attempts?: number;
  public get attempts() { return this.getNumberAttribute('attempts'); }
}

export class ThingStateOutputReference extends cdktf.ComplexObject {
  // message - computed: true, optional: false, required: false
  public get message() { return this.getStringAttribute('message'); }
}

export class Thing extends cdktf.TerraformResource {
  public static readonly tfResourceType = "google_thing";

  // labels - computed: false, optional: true, required: false
  private _labels?: { [key: string]: string };
  // name - computed: false, optional: false, required: true
  private _name?: string;
  // effective_labels - computed: true, optional: false, required: false
  private _effectiveLabels = new cdktf.StringMap(this, "effective_labels");
  // state - computed: true, optional: false, required: false
  private _state = new ThingStateList(this, "state", false);
  // policy - computed: false, optional: false, required: true
  private _policy = new ThingPolicyOutputReference(this, "policy");

  protected synthesizeHclAttributes(): { [name: string]: any } {
    const attrs = {
      labels: {
        value: cdktf.hashMapperHcl(cdktf.stringToHclTerraform)(this._labels),
        isBlock: false,
        type: "map",
        storageClassType: "stringMap",
      },
      name: {
        value: cdktf.stringToHclTerraform(this._name),
        isBlock: false,
        type: "simple",
        storageClassType: "string",
      },
      policy: {
        value: thingPolicyToHclTerraform(this._policy.internalValue),
        isBlock: true,
        type: "list",
        storageClassType: "ThingPolicyList",
      },
    };
  }
}
`;

describe('mining a schema from generated bindings', () => {
  it('finds arguments, blocks and computed values with their types', () => {
    expect(mineType(SOURCE)).to.deep.equal({
      type: 'google_thing',
      block: {
        attributes: {
          labels: { type: ['map', 'string'], is: 'o' },
          name: { type: 'string', is: 'r' },
          effective_labels: { type: ['map', 'string'], is: 'c' },
          state: { type: ['list', ['object', { message: 'string' }]], is: 'c' },
        },
        blocks: {
          policy: {
            nesting: 'list',
            required: true,
            once: true,
            block: { attributes: { attempts: { type: 'number', is: 'o' } }, blocks: {} },
          },
        },
      },
    });
  });

  it('guesses nothing: a block without a class, and a type it does not know, are faults', () => {
    const lost = SOURCE.replace('class ThingPolicyOutputReference', 'class Elsewhere');
    expect(() => mineType(lost)).to.throw(UnknownBinding, 'the block policy has no class');
    const strange = SOURCE.replace('"stringMap"', '"octonionMap"');
    expect(() => mineType(strange)).to.throw(UnknownBinding, 'there is no type for map of octonionMap');
    expect(() => mineType('export const nothing = 1;')).to.throw(UnknownBinding);
  });
});
