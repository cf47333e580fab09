// The board's words in both languages, and how numbers, times and ages are written.
export const WORDS = {
  tr: {
    locale: 'tr-TR', other: 'English', otherLang: 'en',
    title: 'Canlı pano', skip: 'Birimlere geç', now: 'Şu anda', age: 'Veri yaşı', none: 'yok',
    open: 'Açık başvuru', overdue: 'Süresi geçen', today: 'Bugünkü başvuru', calls: 'Bugünkü çağrı',
    lag: 'İşlem hattı gecikmesi',
    'lag.idle': 'boşta', hour: 'Son 1 saat', came: 'gelen', ended: 'sonuçlanan',
    answered: 'yanıtlanan', abandoned: 'kaçan', statuses: 'Durumlar', departments: 'Birimler',
    'col.department': 'Birim', 'col.open': 'Açık', 'col.oldest': 'En eski',
    'col.overdue': 'Geciken', 'col.rate': 'Son 1 saat', unassigned: 'Henüz birime verilmemiş',
    'overdue.none': 'Geciken iş yok', 'overdue.some': '{n} birimde · {share} (hedef en çok {most})',
    waiting: 'Bekleyen çağrı', longest: 'en uzun bekleme', 'wait.target': 'sınır {limit}',
    level: 'Hizmet düzeyi', 'level.target': '{s} içinde (hedef en az {most})',
    then: 'dün bu saatte {then} ({change})', 'then.same': 'dün bu saatte de {then}', 'then.none': 'dünden veri yok',
    verdict: ['hedefte', 'sınırda', 'hedef dışı'],
    'verdict.wait': ['sorun yok', 'bekleme uzuyor', 'çok uzun bekliyor'],
    'verdict.cimer': ['süresi yaklaşan yok', 'süresi yaklaşan var', 'süresi geçen var'],
    channels: 'Kanallar ve yasal süre', 'col.channel': 'Kanal', 'col.today': 'Bugün',
    'col.due': 'Yasal süreye kalan', 'col.late': 'Süresi geçen', cimer: 'CİMER saati',
    'cimer.none': 'yanıt bekleyen yok', 'cimer.left': '{left} kaldı', 'cimer.late': '{late} önce doldu',
    'cimer.soon': '{n} başvurunun son {days} günü', due: '{left}', 'due.late': '{late} geçti',
    alarms: 'Alarmlar', 'alarms.none': 'Açık alarm yok', 'alarms.wait': 'Alarmlar okunuyor',
    'alarm.wait': 'Bekleyen çağrı', 'alarm.level': 'Hizmet düzeyi düşük',
    'alarm.cimer': 'CİMER yasal süresi geçti', 'alarm.overdue': 'Geciken iş çok',
    'alarm.triage': 'Birime verilmemiş başvuru', 'alarm.surge': 'Yoğunlaşan bildirim',
    'alarm.told.wait': '{value} bekliyor (sınır {bound})', 'alarm.told.level': '{value} (hedef {bound})',
    'alarm.told.cimer': '{value} başvuru', 'alarm.told.overdue': 'açık işlerde oran {value} (hedef en çok {bound})',
    'alarm.told.triage': 'en eskisi {value} mesai süresi (sınır {bound})', 'alarm.told.surge': 'son 1 saatte {value} bildirim',
    'alarm.since': 'başlangıç {time}', 'alarm.by': 'üstlenildi, {time}', 'alarm.nobody': 'kimse üstlenmedi',
    'alarm.take': 'Üstlen', 'alarm.new': 'Yeni alarm: {what}',
    past: 'Geçmiş', span: 'Aralık', 'span.day': 'Gün', 'span.week': 'Hafta', 'span.month': 'Ay',
    'past.none': 'Henüz örnek yok; beş dakikada bir alınır.', twin: 'Tablo olarak', tables: 'Tablo olarak',
    'past.from': 'Başlangıç', 'past.failed': 'Geçmiş okunamadı, yeniden denenecek.',
    'chart.open': 'Açık ve süresi geçen', 'chart.flow': 'Saatte gelen ve sonuçlanan',
    'chart.calls': 'Saatte çağrı', 'chart.level': 'Hizmet düzeyi',
    'chart.help': 'Ok tuşlarıyla değerler gezilir; tümü alttaki tablodadır.',
    'value.open': 'Açık', 'value.overdue': 'Süresi geçen', 'value.opened': 'Gelen', 'value.ended': 'Sonuçlanan',
    'value.offered': 'Çağrı', 'value.answered': 'Yanıtlanan', 'value.abandoned': 'Kaçan',
    'value.waiting': 'Bekleyen çağrı', 'value.level': 'Hizmet düzeyi',
    'theme.auto': 'Görünüm: otomatik', 'theme.light': 'Görünüm: açık', 'theme.dark': 'Görünüm: koyu',
    theme: 'Görünüm: otomatik',
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
    calls: 'Calls today', lag: 'Pipeline lag', 'lag.idle': 'idle',
    hour: 'Last hour', came: 'opened', ended: 'ended', answered: 'answered',
    abandoned: 'abandoned', statuses: 'Statuses', departments: 'Departments',
    'col.department': 'Department', 'col.open': 'Open', 'col.oldest': 'Oldest',
    'col.overdue': 'Overdue', 'col.rate': 'Last hour', unassigned: 'Not yet assigned',
    'overdue.none': 'Nothing is late',
    'overdue.some': 'departments: {n} · {share} (target {most} at most)',
    waiting: 'Calls waiting', longest: 'longest wait', 'wait.target': 'limit {limit}',
    level: 'Service level', 'level.target': 'within {s} (target {most} at least)',
    then: '{then} a day ago ({change})', 'then.same': '{then} a day ago, too', 'then.none': 'nothing known of yesterday',
    verdict: ['on target', 'close to the limit', 'off target'],
    'verdict.wait': ['all well', 'wait is growing', 'waits too long'],
    'verdict.cimer': ['none is due soon', 'some are due soon', 'some are past it'],
    channels: 'Channels and the law’s clock', 'col.channel': 'Channel', 'col.today': 'Today',
    'col.due': 'Left by the law', 'col.late': 'Past it', cimer: 'CİMER clock',
    'cimer.none': 'none waits for an answer', 'cimer.left': '{left} left', 'cimer.late': 'ran out {late} ago',
    'cimer.soon': '{n} in their last {days} days', due: '{left}', 'due.late': '{late} over',
    alarms: 'Alarms', 'alarms.none': 'No alarm is open', 'alarms.wait': 'Alarms are being read',
    'alarm.wait': 'A call waits', 'alarm.level': 'Service level is low',
    'alarm.cimer': 'Legal deadline of CİMER passed', 'alarm.overdue': 'Too much is late',
    'alarm.triage': 'A ticket without a department', 'alarm.surge': 'Surge of reports',
    'alarm.told.wait': 'for {value} (limit {bound})', 'alarm.told.level': '{value} (target {bound})',
    'alarm.told.cimer': '{value} applications', 'alarm.told.overdue': '{value} of what is open (target {bound} at most)',
    'alarm.told.triage': 'the oldest for {value} of working time (limit {bound})', 'alarm.told.surge': '{value} reports in the last hour',
    'alarm.since': 'since {time}', 'alarm.by': 'acknowledged, {time}', 'alarm.nobody': 'nobody has acknowledged it',
    'alarm.take': 'Acknowledge', 'alarm.new': 'New alarm: {what}',
    past: 'History', span: 'Span', 'span.day': 'Day', 'span.week': 'Week', 'span.month': 'Month',
    'past.none': 'No sample yet; one is taken every five minutes.', twin: 'As a table', tables: 'As tables',
    'past.from': 'From', 'past.failed': 'The history could not be read, trying again.',
    'chart.open': 'Open and overdue', 'chart.flow': 'Opened and ended an hour',
    'chart.calls': 'Calls an hour', 'chart.level': 'Service level',
    'chart.help': 'The arrow keys walk through its values; the table below has them all.',
    'value.open': 'Open', 'value.overdue': 'Overdue', 'value.opened': 'Opened', 'value.ended': 'Ended',
    'value.offered': 'Calls', 'value.answered': 'Answered', 'value.abandoned': 'Abandoned',
    'value.waiting': 'Calls waiting', 'value.level': 'Service level',
    'theme.auto': 'Theme: automatic', 'theme.light': 'Theme: light', 'theme.dark': 'Theme: dark',
    theme: 'Theme: automatic',
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
    this.percent = new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 1 });
    this.short = new Intl.DateTimeFormat(locale, { ...zone, day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' });
    this.hour = new Intl.DateTimeFormat(locale, { ...zone, hour: '2-digit', minute: '2-digit' });
    this.dayMonth = new Intl.DateTimeFormat(locale, { ...zone, day: 'numeric', month: 'short' });
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

  // Tenths of a percent.
  share(tenths) {
    return tenths === undefined || tenths === null ? UNKNOWN : this.percent.format(tenths / 1000);
  }

  // A change, of numbers or (points) of tenths of a percent: "+12", "−3", "+1,5".
  change(n, points) {
    const size = points ? this.decimal.format(Math.abs(n) / 10) : this.integer.format(Math.abs(n));
    return `${n < 0 ? '−' : '+'}${size}`;
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
