import { expect } from 'chai';
import { withTables } from '../../terraform/check/describe-module.ts';
import { argument, topBlocks } from '../../terraform/check/hcl-blocks.ts';

const TEXT = `# A comment with { braces.
variable "size" {
  description = "How \\"large\\" it is | or small."
  type        = number
  default     = 3
}

variable "rule" {
  description = "A rule."
  type = object({
    labels = map(string)
  })
}

resource "google_pubsub_topic" "this" {
  name = "t"

  dynamic "schema_settings" {
    for_each = []

    content {
      labels = 1
    }
  }
}

output "size" {
  description = "What it is."
  value       = var.size
}
`;

describe('the blocks of a configuration', () => {
  it('are found with their names, and arguments only where they are of the block itself', () => {
    const blocks = topBlocks(TEXT);
    expect(blocks.map(({ kind, names }) => [kind, ...names].join(' '))).to.deep.equal([
      'variable size',
      'variable rule',
      'resource google_pubsub_topic this',
      'output size',
    ]);
    const [size, rule, topic] = blocks;
    expect(argument(size?.body ?? '', 'default')).to.equal('3');
    expect(argument(rule?.body ?? '', 'type')).to.equal('object({\n    labels = map(string)\n  })');
    expect(argument(rule?.body ?? '', 'default')).to.equal(undefined);
    expect(argument(topic?.body ?? '', 'labels')).to.equal(undefined);
    expect(argument(topic?.body ?? '', 'name')).to.equal('"t"');
  });
});

describe('the tables of a README', () => {
  it('show each variable and output, and replace what was there', () => {
    const once = withTables('# A module\n\nText.\n', topBlocks(TEXT));
    expect(once).to.equal(
      [
        '# A module\n\nText.\n',
        '<!-- made by npm run generate:terraform -->\n',
        '| variable | | default |\n|---|---|---|',
        '| `size` | How "large" it is \\| or small. | `3` |',
        '| `rule` | A rule. | required |\n',
        '| output | |\n|---|---|',
        '| `size` | What it is. |\n',
        '<!-- end -->\n',
      ].join('\n'),
    );
    expect(withTables(once, topBlocks(TEXT))).to.equal(once);
    expect(withTables(`${once}\nMore.\n`, topBlocks(TEXT))).to.equal(`${once}\nMore.\n`);
  });
});
