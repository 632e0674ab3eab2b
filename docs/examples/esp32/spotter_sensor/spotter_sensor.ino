// A bar sensor for Spotter: an ESP32 with a rotary encoder on the bar's cable.
// docs/connect-a-sensor.md says what it promises, and what of it was tried.
//
// Libraries: "MQTT" by Joel Gaehwiler (256dpi/arduino-mqtt, 2.5 or newer), because it
// publishes with QoS 1 and returns when the broker has acknowledged; PubSubClient cannot.

#include <Arduino.h>
#include <MQTT.h>
#include <WiFi.h>
#include <WiFiClientSecure.h>
#include <esp_timer.h>
#include <sys/time.h>

#include "config.h"
#include "outbox.h"
#include "rep_finder.h"

#define BASE "spotter/v1/" SITE "/device/" DEVICE

#ifdef BROKER_CA
WiFiClientSecure net;
#else
WiFiClient net;
#endif
MQTTClient mqtt(512, 8192); // bytes of a message that comes, and of one that goes

static RepFinder finder;
static Outbox<500> outbox; // some 28 kB: an hour of hard training without a network
static char bootId[20];
static char lastWill[120];
static char batch[7000];

// The encoder. Four steps for each line; the table says the direction for each pair of
// states, 0 where nothing moved or a step was missed.
static volatile int32_t steps = 0;
static volatile uint8_t state = 0;

void IRAM_ATTR onEncoder() {
  static const int8_t direction[16] = {0, -1, 1, 0, 1, 0, 0, -1, -1, 0, 0, 1, 0, 1, -1, 0};
  uint8_t now = (uint8_t)(digitalRead(ENCODER_A) << 1 | digitalRead(ENCODER_B));
  steps = steps + direction[state << 2 | now];
  state = now;
}

static int64_t unixMs() {
  struct timeval tv;
  gettimeofday(&tv, nullptr);
  if (tv.tv_sec < 1600000000) return 0; // NTP has not answered yet
  return (int64_t)tv.tv_sec * 1000 + tv.tv_usec / 1000;
}

// Two tasks: sampling must not wait for the network. They share the outbox.
static SemaphoreHandle_t guard;

static void sample(uint64_t us) {
  Rep rep;
  if (!finder.position(us, steps * METRES_PER_STEP, &rep)) return;
  int64_t now = unixMs();
  // The rep was over before the bar came back far enough to tell.
  if (now != 0) now -= (int64_t)((us - rep.endedUs) / 1000);
  xSemaphoreTake(guard, portMAX_DELAY);
  outbox.push(rep, now);
  xSemaphoreGive(guard);
}

static void sampleForever(void *) {
  TickType_t woken = xTaskGetTickCount();
  for (;;) {
    vTaskDelayUntil(&woken, pdMS_TO_TICKS(5)); // 200 times a second
    sample((uint64_t)esp_timer_get_time());
  }
}

void onMessage(String &topic, String &payload) {
  if (topic != BASE "/cue") return;
  // {"cue":"stop"|"slow"|"ok",…}
  digitalWrite(CUE_PIN, payload.indexOf("\"stop\"") >= 0 || payload.indexOf("\"slow\"") >= 0 ? HIGH : LOW);
}

static void publishStatus(const char *state) {
  char text[160];
  int length = snprintf(text, sizeof text, "{\"state\":\"%s\",\"boot_id\":\"%s\",\"firmware\":\"example-1\",\"rssi_dbm\":%d}",
                        state, bootId, (int)WiFi.RSSI());
  mqtt.publish(BASE "/status", text, length, true, 1);
}

static void keepConnected() {
  static uint32_t tried = 0;
  if (mqtt.connected() || WiFi.status() != WL_CONNECTED) return;
  if (tried != 0 && millis() - tried < 3000) return;
  tried = millis();
  // The client id is the device's, always the same: the broker keeps the session under it.
  if (!mqtt.connect(SITE "-" DEVICE, BROKER_USERNAME, BROKER_PASSWORD)) return;
  publishStatus("ready");
  mqtt.subscribe(BASE "/cue", 0);
}

// sendOldest publishes the oldest reps. publish returns true once the broker has acknowledged;
// if not, the same text is sent again with the next turn, which costs nothing: Spotter
// knows a rep by boot_id and seq.
static void sendOldest() {
  int64_t now = unixMs();
  if (now == 0 || !mqtt.connected()) return;
  xSemaphoreTake(guard, portMAX_DELAY);
  outbox.clockIsSet(now, (uint64_t)esp_timer_get_time());
  uint32_t lostBefore = outbox.lost;
  size_t n = outbox.batch(batch, sizeof batch, bootId, now);
  xSemaphoreGive(guard);
  if (n == 0 || !mqtt.publish(BASE "/rep", batch, (int)strlen(batch), false, 1)) return;
  xSemaphoreTake(guard, portMAX_DELAY);
  size_t gone = outbox.lost - lostBefore; // fell out of a full ring meanwhile
  if (gone < n) outbox.acknowledged(n - gone);
  xSemaphoreGive(guard);
}

void setup() {
  pinMode(CUE_PIN, OUTPUT);
  pinMode(ENCODER_A, INPUT_PULLUP);
  pinMode(ENCODER_B, INPUT_PULLUP);
  state = (uint8_t)(digitalRead(ENCODER_A) << 1 | digitalRead(ENCODER_B));
  attachInterrupt(digitalPinToInterrupt(ENCODER_A), onEncoder, CHANGE);
  attachInterrupt(digitalPinToInterrupt(ENCODER_B), onEncoder, CHANGE);

  // New with each start; seq counts from 0 within it.
  snprintf(bootId, sizeof bootId, "%08lx%08lx", (unsigned long)esp_random(), (unsigned long)esp_random());
  snprintf(lastWill, sizeof lastWill, "{\"state\":\"lost\",\"boot_id\":\"%s\"}", bootId);

  WiFi.mode(WIFI_STA);
  WiFi.setAutoReconnect(true);
  WiFi.begin(WIFI_SSID, WIFI_PASSWORD);
  configTime(0, 0, "pool.ntp.org", "time.google.com"); // UTC
#ifdef BROKER_CA
  net.setCACert(BROKER_CA);
#endif
  mqtt.begin(BROKER_HOST, BROKER_PORT, net);
  mqtt.setOptions(15, false, 5000); // keep-alive s, clean session, ms to wait for an answer
  mqtt.setWill(BASE "/status", lastWill, true, 1);
  mqtt.onMessage(onMessage);

  guard = xSemaphoreCreateMutex();
  xTaskCreatePinnedToCore(sampleForever, "sample", 4096, nullptr, 5, nullptr, 1);
}

void loop() {
  mqtt.loop();
  keepConnected();
  sendOldest();
  delay(10);
}
