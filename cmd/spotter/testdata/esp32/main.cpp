// Runs the sketch as the ESP32 does, and lifts: each line of standard input is the
// seconds that one rise takes.
#include <WiFi.h>

#include <cmath>
#include <iostream>

#include "config.h"

std::atomic<int> pins[64];
void (*encoderInterrupt)() = nullptr;
WiFiClass WiFi;
void setup();
void loop();

// turn moves the encoder by one step.
static void turn(int &at, int by) {
  static const int gray[4] = {0, 1, 3, 2};
  at += by;
  int code = gray[((at % 4) + 4) % 4];
  // One of the two changes: one interrupt.
  pins[ENCODER_A] = code & 1;
  pins[ENCODER_B] = code >> 1;
  encoderInterrupt();
}

// move takes the bar to a height within some seconds, fastest in the middle.
static void move(int &at, double metres, double seconds) {
  int from = at, to = (int)lround(metres / METRES_PER_STEP);
  int64_t began = esp_timer_get_time();
  for (;;) {
    double part = (double)(esp_timer_get_time() - began) / 1e6 / seconds;
    if (part > 1) part = 1;
    int want = from + (int)lround((to - from) * (part - sin(2 * M_PI * part) / (2 * M_PI)));
    while (at < want) turn(at, 1);
    while (at > want) turn(at, -1);
    if (part == 1) return;
    usleep(1000);
  }
}

int main() {
  signal(SIGPIPE, SIG_IGN);
  setup();
  std::thread([] {
    int at = 0;
    double rise;
    usleep(300000);
    while (std::cin >> rise) {
      move(at, 0.45, rise);
      move(at, 0, 0.5);
      usleep(200000);
      printf("lifted\n");
      fflush(stdout);
    }
  }).detach();
  for (;;) loop();
}
