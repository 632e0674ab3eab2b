// Keeps the check-in page on the phone, so that it opens without a network. What is
// reported meanwhile is kept by the page itself.
const kept = 'checkin-1'
const files = ['/checkin', '/checkin.css', '/board/checkin.js', '/board/icon.svg', '/checkin.webmanifest']

self.addEventListener('install', event => event.waitUntil(caches.open(kept).then(c => c.addAll(files)).then(() => self.skipWaiting())))
self.addEventListener('activate', event => event.waitUntil(
  caches.keys().then(names => Promise.all(names.filter(n => n !== kept).map(n => caches.delete(n)))).then(() => self.clients.claim())))

self.addEventListener('fetch', event => {
  const url = new URL(event.request.url)
  if (event.request.method !== 'GET' || url.origin !== location.origin || url.pathname.startsWith('/api/')) return
  if (event.request.mode === 'navigate') {
    // A link's page has the same form as the page without one.
    event.respondWith(fetch(event.request).catch(() => caches.match('/checkin')))
  } else if (files.includes(url.pathname)) {
    event.respondWith(fetch(event.request).then(answer => {
      if (answer.ok) { const copy = answer.clone(); caches.open(kept).then(c => c.put(url.pathname, copy)) }
      return answer
    }, () => caches.match(url.pathname)))
  }
})
