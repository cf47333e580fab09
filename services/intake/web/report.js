// The citizen's form with a little help: subjects are found as one types, and photos that are too many
// or too large are named before they are sent.  Without it both pages work as well.
'use strict';

const LETTERS = { ı: 'i', ş: 's', ğ: 'g', ç: 'c', ö: 'o', ü: 'u', â: 'a', î: 'i', û: 'u' };

// As services/common/fold.c has it, as far as what is typed goes.
function fold(text) {
  return text.replace(/[İI]/g, 'i').toLowerCase().normalize('NFC')
    .replace(/[ışğçöüâîû]/g, (letter) => LETTERS[letter]).normalize('NFD').replace(/\p{M}/gu, '')
    .replace(/['’]/g, '').replace(/[^\p{L}\p{N}]+/gu, ' ').trim();
}

function searchAsTyped(input, said, list) {
  const entries = [...list.querySelectorAll('li')];
  input.addEventListener('input', () => {
    const words = fold(input.value).split(' ').filter((word) => word !== '');
    let count = 0;
    for (const entry of entries) {
      entry.hidden = !words.every((word) => entry.dataset.words.includes(` ${word}`));
      if (!entry.hidden) count++;
    }
    for (const group of list.querySelectorAll('section'))
      group.hidden = group.querySelector('li:not([hidden])') === null;
    said.textContent = words.length === 0 ? ''
      : count === 0 ? said.dataset.none : said.dataset.found.replace('#', count);
  });
}

function checkPhotos(input) {
  input.addEventListener('change', () => {
    const most = Number(input.dataset.mb) * 1024 * 1024;
    const files = [...input.files];
    const large = files.findIndex((file) => file.size > most);
    input.setCustomValidity(files.length > 3 ? input.dataset.many
      : large >= 0 ? input.dataset.large.replace('#', large + 1) : '');
    input.reportValidity();
  });
}

const search = document.querySelector('form.search input[type=search]');
// A page that was searched already has only what was found.
if (search !== null && search.value === '')
  searchAsTyped(search, document.getElementById('found'), document.getElementById('subjects'));
for (const input of document.querySelectorAll('input[type=file][data-mb]')) checkPhotos(input);
