// The calls of 256dpi/arduino-mqtt that the example makes, with their signatures.
#pragma once
#include <WiFi.h>

class MQTTClient {
public:
  MQTTClient(int readBufSize, int writeBufSize) : most((size_t)writeBufSize) { (void)readBufSize; }
  void begin(const char hostname[], int port, WiFiClient &) {
    host = hostname;
    this->port = port;
  }
  void setOptions(int keepAlive, bool cleanSession, int timeout) {
    this->keepAlive = keepAlive;
    clean = cleanSession;
    patience = timeout;
  }
  void setWill(const char topic[], const char payload[], bool retained, int qos) {
    willTopic = topic;
    will = payload;
    willFlags = (uint8_t)(0x04 | qos << 3 | (retained ? 0x20 : 0));
  }
  void onMessage(void (*call)(String &topic, String &payload)) { callback = call; }
  bool connected() const { return fd >= 0; }

  bool connect(const char clientId[], const char username[], const char password[]) {
    fd = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons((uint16_t)port);
    inet_pton(AF_INET, host.c_str(), &to.sin_addr);
    if (::connect(fd, (sockaddr *)&to, sizeof to) != 0) return drop();
    std::string body = text("MQTT") + (char)4;
    body += (char)(0xC0 | willFlags | (clean ? 2 : 0));
    body += (char)(keepAlive >> 8);
    body += (char)keepAlive;
    body += text(clientId) + text(willTopic) + text(will) + text(username) + text(password);
    return send(0x10, body) && await(0x20) && last.size() == 2 && last[1] == 0 ? true : drop();
  }
  bool publish(const char topic[], const char payload[], int length, bool retained, int qos) {
    std::string body = text(topic);
    if (qos > 0) body += number();
    body.append(payload, (size_t)length);
    if (body.size() + 5 > most) return false; // as the library: it does not fit
    if (!send((uint8_t)(0x30 | qos << 1 | (retained ? 1 : 0)), body)) return drop();
    return qos == 0 || await(0x40) ? true : drop();
  }
  bool subscribe(const char topic[], int qos) {
    return send(0x82, number() + text(topic) + (char)qos) && await(0x90) && last[2] != (char)0x80 ? true : drop();
  }
  bool loop() {
    if (fd < 0) return false;
    if (millis() - spoke > (uint32_t)keepAlive * 500 && !send(0xC0, "")) return drop();
    while (readable(0)) {
      if (!packet()) return drop();
    }
    return true;
  }

private:
  static std::string text(const std::string &s) { return std::string{(char)(s.size() >> 8), (char)s.size()} + s; }
  std::string number() {
    id = (uint16_t)(id % 65535 + 1);
    return {(char)(id >> 8), (char)id};
  }
  bool drop() {
    if (fd >= 0) close(fd);
    fd = -1;
    return false;
  }
  bool send(uint8_t kind, const std::string &body) {
    std::string all(1, (char)kind);
    size_t n = body.size();
    do {
      uint8_t part = n % 128;
      n /= 128;
      all += (char)(n > 0 ? part | 0x80 : part);
    } while (n > 0);
    all += body;
    spoke = millis();
    for (size_t at = 0; at < all.size();) {
      ssize_t done = ::send(fd, all.data() + at, all.size() - at, MSG_NOSIGNAL);
      if (done <= 0) return false;
      at += (size_t)done;
    }
    return true;
  }
  bool readable(int ms) {
    pollfd p{fd, POLLIN, 0};
    return poll(&p, 1, ms) > 0;
  }
  bool bytes(char *to, size_t n) {
    for (size_t at = 0; at < n;) {
      if (!readable(patience)) return false;
      ssize_t got = recv(fd, to + at, n - at, 0);
      if (got <= 0) return false;
      at += (size_t)got;
    }
    return true;
  }
  // packet reads one, hands a message on, and leaves others in kind and last.
  bool packet() {
    char c;
    if (!bytes(&c, 1)) return false;
    kind = (uint8_t)c;
    size_t n = 0;
    for (int shift = 0;; shift += 7) {
      if (!bytes(&c, 1)) return false;
      n |= (size_t)(c & 0x7f) << shift;
      if (!(c & 0x80)) break;
    }
    last.assign(n, 0);
    if (n > 0 && !bytes(&last[0], n)) return false;
    if ((kind & 0xf0) == 0x30) { // of QoS 0: the example subscribes with nothing else
      size_t length = (size_t)((uint8_t)last[0] << 8 | (uint8_t)last[1]);
      String topic(last.substr(2, length)), payload(last.substr(2 + length));
      if (callback) callback(topic, payload);
    }
    return true;
  }
  bool await(uint8_t want) {
    while (packet()) {
      if ((kind & 0xf0) == want) return true;
    }
    return false;
  }

  size_t most;
  std::string host, willTopic, will, last;
  int port = 0, keepAlive = 10, patience = 1000, fd = -1;
  bool clean = true;
  uint8_t willFlags = 0, kind = 0;
  uint16_t id = 0;
  uint32_t spoke = 0;
  void (*callback)(String &, String &) = nullptr;
};
