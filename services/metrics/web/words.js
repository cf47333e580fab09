// The board's words in both languages, and how numbers, times and ages are written.
export const WORDS = {
  tr: {
    locale: 'tr-TR', other: 'English', otherLang: 'en',
    title: 'Canlı pano', skip: 'Birimlere geç', now: 'Şu anda', age: 'Veri yaşı', none: 'yok',
    open: 'Açık başvuru', overdue: 'Süresi geçen', today: 'Bugünkü başvuru', calls: 'Bugünkü çağrı',
    lag: 'İşlem hattı gecikmesi', 'lag.note': 'kayıttan panoya, son 10 saniyenin en uzunu',
    'lag.idle': 'boşta', hour: 'Son 1 saat', came: 'gelen', ended: 'sonuçlanan',
    answered: 'yanıtlanan', abandoned: 'kaçan', statuses: 'Durumlar', departments: 'Birimler',
    'col.department': 'Birim', 'col.open': 'Açık', 'col.oldest': 'En eski',
    'col.overdue': 'Geciken', 'col.rate': 'Son 1 saat', unassigned: 'Henüz birime verilmemiş',
    'overdue.none': 'Geciken iş yok', 'overdue.some': '{n} birimde',
    'rate.words': '{in} gelen, {out} sonuçlanan', late: 'gecikti',
    'state.live': 'Canlı', 'state.rebuilding': 'Yeniden kuruluyor', 'state.seeking': 'Bekleniyor',
    'state.wait': 'Bağlanıyor', 'state.stale': 'Veri gelmiyor',
    'banner.rebuilding': 'Rakamlar kayıttan yeniden kuruluyor. Görünenler bir önceki durumdur.',
    'banner.seeking': 'Rakamların deposuna ulaşılamıyor. Görünenler bir önceki durumdur.',
    'banner.stale': '10 saniyeden uzun süredir yeni veri gelmiyor. Görünen rakamlar eski olabilir.',
    'banner.wait': 'Panoya bağlanılamıyor, yeniden deneniyor.',
    satisfaction: 'Başvuranların memnuniyeti', reports: 'Aylık raporlar',
    foot: 'Yalnız toplamlar gösterilir; kişisel veri yoktur. Saatler İstanbul saatidir.',
    seq: 'Kayıt', day: 'g', h: 'sa', min: 'dk', s: 'sn', ms: 'ms', under: '1 dk’dan az',
    status: { opened: 'Alındı', triage: 'Triyaj', routed: 'Yönlendirildi', accepted: 'İnceleniyor',
      in_progress: 'İşlemde', waiting: 'Beklemede', resolved: 'Çözüldü', rejected: 'Reddedildi',
      forwarded: 'Kurum dışı', duplicate: 'Mükerrer', withdrawn: 'Vazgeçildi' },
    channel: { call: 'Telefon', web: 'Web', open311: 'Open311', email: 'E-posta', cimer: 'CİMER',
      desk: 'Masa', bus: 'Sistemler', sms: 'SMS', other: 'Diğer' },
  },
  en: {
    locale: 'en-GB', other: 'Türkçe', otherLang: 'tr',
    title: 'Live board', skip: 'Skip to departments', now: 'Right now', age: 'Data age',
    none: 'none', open: 'Open tickets', overdue: 'Overdue', today: 'Tickets today',
    calls: 'Calls today', lag: 'Pipeline lag',
    'lag.note': 'from record to board, longest of the last 10 seconds', 'lag.idle': 'idle',
    hour: 'Last hour', came: 'opened', ended: 'ended', answered: 'answered',
    abandoned: 'abandoned', statuses: 'Statuses', departments: 'Departments',
    'col.department': 'Department', 'col.open': 'Open', 'col.oldest': 'Oldest',
    'col.overdue': 'Overdue', 'col.rate': 'Last hour', unassigned: 'Not yet assigned',
    'overdue.none': 'Nothing is late', 'overdue.some': 'in {n} departments',
    'rate.words': '{in} came in, {out} ended', late: 'late',
    'state.live': 'Live', 'state.rebuilding': 'Rebuilding', 'state.seeking': 'Waiting',
    'state.wait': 'Connecting', 'state.stale': 'No data',
    'banner.rebuilding': 'The figures are being rebuilt from the record. You see the last known ones.',
    'banner.seeking': 'The store of the figures cannot be reached. You see the last known ones.',
    'banner.stale': 'No new data for more than 10 seconds. The figures shown may be old.',
    'banner.wait': 'The board cannot be reached, trying again.',
    satisfaction: 'Satisfaction of citizens', reports: 'Monthly reports',
    foot: 'Totals only; no personal data. Times are Istanbul time.',
    seq: 'Record', day: 'd', h: 'h', min: 'min', s: 's', ms: 'ms', under: 'under 1 min',
    status: { opened: 'Received', triage: 'Triage', routed: 'Routed', accepted: 'Examined',
      in_progress: 'In progress', waiting: 'Waiting', resolved: 'Resolved', rejected: 'Rejected',
      forwarded: 'Forwarded', duplicate: 'Duplicate', withdrawn: 'Withdrawn' },
    channel: { call: 'Phone', web: 'Web', open311: 'Open311', email: 'E-mail', cimer: 'CİMER',
      desk: 'Desk', bus: 'Systems', sms: 'SMS', other: 'Other' },
  },
};

const UNKNOWN = '—';

// Everything that is written, in one language.
export class Writer {
  constructor(lang) {
    this.words = WORDS[lang];
    const locale = this.words.locale;
    const zone = { timeZone: 'Europe/Istanbul' };
    this.integer = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });
    this.decimal = new Intl.NumberFormat(locale,
      { minimumFractionDigits: 1, maximumFractionDigits: 1 });
    this.percent = new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 0 });
    this.clock = new Intl.DateTimeFormat(locale,
      { ...zone, hour: '2-digit', minute: '2-digit', second: '2-digit' });
    this.date = new Intl.DateTimeFormat(locale,
      { ...zone, weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' });
    this.moment = new Intl.DateTimeFormat(locale, { ...zone, dateStyle: 'long', timeStyle: 'short' });
  }

  word(key, values = {}) {
    return this.words[key].replace(/\{(\w+)\}/g, (whole, name) => values[name]);
  }

  number(n) {
    return n === undefined ? UNKNOWN : this.integer.format(n);
  }

  plus(n) {
    return n === undefined ? UNKNOWN : `+${this.integer.format(n)}`;
  }

  minus(n) {
    return n === undefined ? UNKNOWN : `−${this.integer.format(n)}`;
  }

  lag(ms) {
    if (ms === undefined) return this.words['lag.idle'];
    if (ms < 1000) return `${this.integer.format(ms)} ${this.words.ms}`;
    return this.span(ms, this.decimal);
  }

  // Seconds when short, then the two largest units.
  span(ms, seconds = this.integer) {
    const w = this.words;
    const n = (value) => this.integer.format(value);
    const s = ms / 1000;
    if (s < 60) return `${seconds.format(seconds === this.integer ? Math.floor(s) : s)} ${w.s}`;
    const min = Math.floor(s / 60);
    if (min < 60) return `${n(min)} ${w.min}`;
    const h = Math.floor(min / 60);
    if (h < 24) return `${n(h)} ${w.h} ${n(min % 60)} ${w.min}`;
    return `${n(Math.floor(h / 24))} ${w.day} ${n(h % 24)} ${w.h}`;
  }

  waited(ms) {
    return ms < 60000 ? this.words.under : this.span(ms);
  }
}
