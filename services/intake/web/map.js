// A position by a click: the neighbourhoods' approximate areas, without any map of others.  Leaflet comes
// when the map is opened; the two fields below it stay what is sent, and can be typed.
'use strict';

function load(tag, attributes) {
  return new Promise((resolve, reject) => {
    const element = Object.assign(document.createElement(tag), attributes);
    element.addEventListener('load', resolve);
    element.addEventListener('error', reject);
    document.head.append(element);
  });
}

async function showMap(box) {
  const place = box.querySelector('.map');
  const [latitude, longitude] = ['lat', 'long'].map((name) => document.querySelector(`input[name=${name}]`));
  const choice = document.querySelector('select[name=address_id]');
  const [layer] = await Promise.all([fetch('/report/neighbourhoods.json').then((answer) => answer.json()),
    load('link', { rel: 'stylesheet', href: '/assets/leaflet.css' }), load('script', { src: '/assets/leaflet.js' })]);
  const [west, south, east, north] = layer.bbox;
  const map = L.map(place, { maxBounds: [[south, west], [north, east]], minZoom: 11, maxZoom: 19, zoomSnap: 0.5 });
  map.attributionControl.setPrefix(false).addAttribution(place.dataset.note);
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const usual = { color: colour('--soft'), weight: 1, fillColor: colour('--leaf'), fillOpacity: 0.12 };
  const areas = L.geoJSON(layer, { style: usual, onEachFeature: (feature, area) => {
    area.bindTooltip(feature.properties.name, { sticky: true });
    area.on('click', (event) => choose(event.latlng, feature.properties.code));
  } }).addTo(map);
  let mark = null;

  function show(at, code) {
    mark ??= L.circleMarker(at, { radius: 9, color: colour('--paper'), weight: 2, fillColor: colour('--accent'), fillOpacity: 1 }).addTo(map);
    mark.setLatLng(at).bringToFront();
    areas.eachLayer((area) => area.setStyle({ fillOpacity: area.feature.properties.code === code ? 0.45 : 0.12 }));
  }
  function choose(at, code) {
    latitude.value = at.lat.toFixed(6);
    longitude.value = at.lng.toFixed(6);
    choice.value = code;
    show(at, code);
  }
  function typed() {
    const at = [Number(latitude.value), Number(longitude.value)];
    if (latitude.value !== '' && longitude.value !== '' && at.every(Number.isFinite)) show(at, choice.value);
  }
  for (const field of [latitude, longitude, choice]) field.addEventListener('change', typed);
  map.fitBounds(layer.features.map((feature) => [...feature.properties.centre].reverse()), { padding: [20, 20] });
  typed();
}

const box = document.querySelector('details.map-box');
if (box?.open) showMap(box);
else box?.addEventListener('toggle', () => showMap(box), { once: true });
