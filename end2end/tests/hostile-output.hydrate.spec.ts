// What a step prints was written by somebody else: whatever it is, it is text on the page.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from './fixtures.ts';
import { shownStep } from './printed.ts';

const escape = '\u001b';
const url = 'http://evil.example/';

/** Elements, attributes and addresses that must not become any. */
const markup = [
  '<script>window.hit = 1</script>',
  '<img src=x onerror="window.hit = 1">',
  '<svg onload="window.hit = 1"><a href="javascript:window.hit = 1">x</a></svg>',
  '<iframe src="javascript:window.hit = 1"></iframe>',
  '<a href="javascript:window.hit = 1">click</a>',
  '<form action="//evil.example"><input name="nodes"></form>',
  '<style>body { display: none }</style>',
  '<link rel="stylesheet" href="//evil.example/x.css">',
  '<meta http-equiv="refresh" content="0;url=//evil.example">',
  '<base href="//evil.example/">',
  '</span></li></ol><script>window.hit = 1</script>',
  '<!-- --><script>window.hit = 1</script>',
  '<math><mtext></form><form><mglyph><style></math><img src onerror="window.hit = 1">',
  '<template><script>window.hit = 1</script></template>',
  '{{constructor.constructor("window.hit = 1")()}}',
  '&lt;script&gt;window.hit = 1&lt;/script&gt;',
  '&#60;script&#62;window.hit = 1&#60;/script&#62;',
  '<!$><!><!--bo-item-->',
  '"><img src=x onerror="window.hit = 1">',
  "'-alert(1)-'",
  'javascript:window.hit = 1',
  'data:text/html;base64,PHNjcmlwdD53aW5kb3cuaGl0ID0gMTwvc2NyaXB0Pg==',
  '<button data-key="r">x</button>',
  '<p data-fold="1" data-deeds="">x</p>',
];

/** Sequences of a terminal that must do nothing but colour and move. */
const sequences = [
  `${escape}]8;;${url}${escape}\\a link${escape}]8;;${escape}\\`,
  `${escape}]8;;javascript:window.hit = 1${escape}\\a link${escape}]8;;${escape}\\`,
  `${escape}]52;c;ZXZpbA==\u0007clipboard`,
  `${escape}]0;title${escape}\\title`,
  `${escape}]1337;File=inline=1:aGk=\u0007file`,
  `${escape}P+q544e${escape}\\device`,
  `${escape}_application${escape}\\application`,
  `${escape}^private${escape}\\private`,
  `${escape}Xstart${escape}\\start`,
  `${escape}[?1000h${escape}[?2004hmodes`,
  `${escape}[6n${escape}[c${escape}[>0qquestions`,
  `${escape}[20;20tresize`,
  `${escape}[5i printer ${escape}[4i`,
  `${escape}#8align`,
  `${escape}(0lines${escape}(B`,
  `\u009b31mC1 colour`,
  `\u009d0;C1 title\u009c`,
  `\u0090C1 device\u009c`,
  `${escape}[38;2;1;2;3;4;5;6;7mtoo many numbers`,
  `${escape}[${'9;'.repeat(200)}9mvery many numbers`,
  `${escape}[99999999999999999999mlarge`,
  `${escape}[31`,
  `${escape}]unfinished`,
  `${escape}${escape}${escape}[31mthree`,
  `${escape}[9999Aup`,
  `${escape}[9999Bdown`,
  `${escape}[9999Cright`,
  `${escape}[9999Dleft`,
  `a\u0008\u0008\u0008b`,
  `over\rwritten`,
  `\u202eturned around`,
  `\u2066isolated\u2069`,
  `\u200bnothing\u200b`,
  `\u0000nul\u0000`,
  `\u007fdelete`,
  `\ufffe\uffff`,
];

test('sixty hostile outputs stay text: no element, link, script or report comes of them', async ({ operator, portal }) => {
  const { page } = operator;
  const hostile = [...markup, ...sequences];
  expect(hostile).toHaveLength(60);
  const file = join(portal.folder, 'hostile.txt');
  await writeFile(file, Buffer.concat([Buffer.from(`${hostile.join('\n')}\n`), Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)), Buffer.from('\nlast\n')]));
  const reports: string[] = [];
  page.on('console', (message) => {
    if (/Content.Security.Policy|Refused to/i.test(message.text())) reports.push(message.text());
  });
  page.on('pageerror', (error) => reports.push(String(error)));
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) => console.error(`Content Security Policy: ${event.violatedDirective}`));
  });
  const run = await operator.start('first-tour', { Visitor: 'Olga' });
  await operator.open(run, 2);
  await operator.add(`cat ${file}`, 'Print what is hostile');
  await operator.press('Run the added step: Print what is hostile');
  await operator.step('Print what is hostile', 'ok');

  await expect.poll(async () => (await operator.log()).some((line) => line.startsWith('last'))).toBe(true);
  const step = await shownStep(operator);
  for (const opened of [false, true]) {
    if (opened) await operator.open(run, step);
    // What goes back to the lines above writes over them, so the last line is not the last row.
    await expect.poll(async () => (await operator.log()).some((line) => line.startsWith('last'))).toBe(true);
    const found = await page.locator('ol.log').evaluate((list) => ({
      elements: [...new Set([...list.querySelectorAll('*')].map(({ tagName }) => tagName))].sort(),
      addresses: [...list.querySelectorAll('[href], [src], [action]')].map((one) => one.getAttribute('href') ?? one.getAttribute('src') ?? one.getAttribute('action') ?? ''),
      handlers: [...list.querySelectorAll('*')].flatMap((one) => one.getAttributeNames()).filter((name) => name.startsWith('on')),
      hit: 'hit' in window,
      shown: list.textContent ?? '',
      outside: document.querySelectorAll('iframe, object, embed, base, [src*="evil"], [href*="evil"], [action*="evil"]').length,
    }));
    // What goes up writes over the begin of one of them.
    expect(markup.filter((one) => found.shown.includes(one)).length).toBeGreaterThan(20);
    expect(found.outside).toBe(0);
    expect(found.elements.filter((name) => !['A', 'BUTTON', 'LI', 'SMALL', 'SPAN'].includes(name))).toEqual([]);
    expect(found.addresses.filter((address) => !/^#s\d+-L\d+$/.test(address))).toEqual([]);
    expect(found.handlers).toEqual([]);
    expect(found.hit).toBe(false);
  }
  expect(reports).toEqual([]);
});
