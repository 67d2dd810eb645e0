// SPDX-License-Identifier: GPL-2.0-or-later
// Purgatory's own code on the host, over a fake machine. tests/vm/test_purgatory.py boots it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "kexec/purgatory/built_image.h"
#include "kexec/purgatory/delay.h"
#include "kexec/purgatory/main.h"
#include "kexec/purgatory/reset.h"
#include "kexec/purgatory/serial.h"
#include "kexec/purgatory_image.h"
#include "tests/kexec/bare_machine.h"

namespace kdumpkit {
namespace {

using purgatory::Arguments;
using purgatory::PurgatoryMain;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

PhysAddr AddressOf(const std::string& text) {
  return PhysAddr(reinterpret_cast<uintptr_t>(text.data()));
}

// Segments in this process's memory, and what MakePurgatory makes of them.
class PurgatoryTest : public testing::Test {
 protected:
  PurgatoryTest() {
    options.serial_port = 0x3f8;
    options.entry = 0x1000200;
    options.boot_params = 0x90000;
    options.regions = {{"kernel", AsBytes(kernel), AddressOf(kernel)},
                       {"initrd", AsBytes(initrd), AddressOf(initrd)}};
  }

  void SetUp() override {
    if (!purgatory::X86Image()) GTEST_SKIP() << "built without purgatory";
  }

  // The arguments as purgatory finds them in its image.
  Arguments Built() {
    PurgatoryImage image = MakePurgatory(options).value();
    Arguments arguments;
    std::memcpy(&arguments, image.bytes.data(), sizeof(arguments));
    return arguments;
  }
  void Damage(std::string& text, size_t at) { text[at] = static_cast<char>(text[at] ^ 0x10); }

  BareMachine machine;
  std::string kernel = std::string(5000, 'k');
  std::string initrd = std::string(777, 'i');
  PurgatoryOptions options;
};

TEST_F(PurgatoryTest, AllIsAsItWas) {
  EXPECT_TRUE(PurgatoryMain(Built()));
  EXPECT_EQ(machine.serial, "kdumpkit purgatory: checked 2 segments, starting the new kernel\r\n");
  EXPECT_THAT(machine.events, IsEmpty());
}

TEST_F(PurgatoryTest, NothingToCheck) {
  options.regions.clear();
  EXPECT_TRUE(PurgatoryMain(Built()));
  EXPECT_EQ(machine.serial, "kdumpkit purgatory: checked 0 segments, starting the new kernel\r\n");
}

TEST_F(PurgatoryTest, NamesTheDamagedSegment) {
  Arguments arguments = Built();
  Damage(initrd, 776);
  EXPECT_FALSE(PurgatoryMain(arguments));
  EXPECT_EQ(machine.serial,
            fmt::format("kdumpkit purgatory: segment 'initrd' at {:#x} (777 bytes) was overwritten "
                        "after it was loaded; the new kernel is not started\r\n"
                        "kdumpkit purgatory: the machine stops here; reset it by hand\r\n",
                        AddressOf(initrd).value));
  EXPECT_THAT(machine.events, IsEmpty());
}

TEST_F(PurgatoryTest, NamesEveryDamagedSegment) {
  Arguments arguments = Built();
  Damage(kernel, 0);
  Damage(initrd, 0);
  EXPECT_FALSE(PurgatoryMain(arguments));
  EXPECT_THAT(machine.serial, StartsWith("kdumpkit purgatory: segment 'kernel' at "));
  EXPECT_THAT(machine.serial, HasSubstr("\r\nkdumpkit purgatory: segment 'initrd' at "));
}

// Every bit of a segment counts.
TEST_F(PurgatoryTest, FindsDamageAnywhere) {
  Arguments arguments = Built();
  for (size_t at = 0; at < initrd.size(); ++at) {
    Damage(initrd, at);
    EXPECT_FALSE(PurgatoryMain(arguments)) << at;
    Damage(initrd, at);
  }
  EXPECT_TRUE(PurgatoryMain(arguments));
}

TEST_F(PurgatoryTest, CopiesTheBackup) {
  std::string source = "what the first kernel left in low memory";
  std::string destination(source.size() + 2, '.');
  options.backup_source = PhysRange{AddressOf(source), source.size()};
  options.backup_destination = AddressOf(destination) + 1;
  EXPECT_TRUE(PurgatoryMain(Built()));
  EXPECT_EQ(destination, "." + source + ".");
}

TEST_F(PurgatoryTest, NoBackupAfterAFailure) {
  std::string source = "new";
  std::string destination = "old";
  options.backup_source = PhysRange{AddressOf(source), source.size()};
  options.backup_destination = AddressOf(destination);
  Arguments arguments = Built();
  Damage(kernel, 17);
  EXPECT_FALSE(PurgatoryMain(arguments));
  EXPECT_EQ(destination, "old");
}

TEST_F(PurgatoryTest, DamagedWaitIsNotBelieved) {
  Arguments arguments = Built();
  arguments.reset_seconds = 0x7f000000;
  EXPECT_FALSE(PurgatoryMain(arguments));
  EXPECT_THAT(machine.serial,
              EndsWith("kdumpkit purgatory: the machine is reset in 60 seconds\r\n"));
}

// Whichever byte of the arguments is damaged: neither the kernel nor a segment is touched.
TEST_F(PurgatoryTest, RejectsDamagedArguments) {
  Arguments arguments = Built();
  auto* bytes = reinterpret_cast<unsigned char*>(&arguments);
  for (size_t at = 0; at < sizeof(arguments); ++at) {
    bytes[at] ^= 0x80;
    machine.serial.clear();
    EXPECT_FALSE(PurgatoryMain(arguments)) << at;
    bytes[at] ^= 0x80;
    bool port_damaged = at >= offsetof(Arguments, serial_port) && at < offsetof(Arguments, unused);
    if (!port_damaged) {
      EXPECT_THAT(machine.serial, StartsWith("kdumpkit purgatory: its own arguments were "));
    }
  }
  EXPECT_TRUE(PurgatoryMain(arguments));
  EXPECT_THAT(machine.others, IsEmpty());
}

TEST_F(PurgatoryTest, WrongMagicWithARightDigest) {
  Arguments arguments = Built();
  arguments.magic ^= 1;
  arguments.digest = purgatory::DigestOf(arguments);
  EXPECT_FALSE(PurgatoryMain(arguments));
  EXPECT_THAT(machine.serial, HasSubstr("its own arguments were overwritten"));
}

TEST_F(PurgatoryTest, SilentWithoutAPort) {
  options.serial_port = 0;
  options.reset_seconds = -1;
  Arguments arguments = Built();
  Damage(kernel, 1);
  EXPECT_FALSE(PurgatoryMain(arguments));
  EXPECT_EQ(machine.serial, "");
  EXPECT_THAT(machine.others, IsEmpty());
  EXPECT_FALSE(machine.events.empty());
}

TEST_F(PurgatoryTest, ResetsInEveryWay) {
  options.reset_seconds = 12;
  Arguments arguments = Built();
  Damage(kernel, 1);
  EXPECT_FALSE(PurgatoryMain(arguments));
  EXPECT_THAT(machine.serial,
              EndsWith("kdumpkit purgatory: the machine is reset in 12 seconds\r\n"));
  EXPECT_THAT(machine.events, ElementsAre("cf9=02", "cf9=06", "64=fe", "triple fault"));
  EXPECT_NEAR(static_cast<double>(machine.milliseconds), 12'200, 10);
}

// The line is sent whole before the reset, which empties the UART.
TEST_F(PurgatoryTest, ResetsAtOnce) {
  options.reset_seconds = -1;
  Arguments arguments = Built();
  Damage(kernel, 1);
  EXPECT_FALSE(PurgatoryMain(arguments));
  EXPECT_THAT(machine.serial, EndsWith("kdumpkit purgatory: the machine is reset now\r\n"));
  EXPECT_LT(machine.milliseconds, 300u);
  EXPECT_FALSE(machine.lost);
}

TEST(PurgatoryReset, BusyKeyboardControllerDoesNotHang) {
  BareMachine machine;
  machine.keyboard_busy = true;
  purgatory::Serial serial(0);
  purgatory::ResetAfter(-1, serial);
  EXPECT_THAT(machine.events, ElementsAre("cf9=02", "cf9=06", "64=fe", "triple fault"));
}

TEST(PurgatoryDelay, ByTheTimer) {
  BareMachine machine;
  purgatory::Delay delay;
  delay.Milliseconds(1);
  EXPECT_EQ(machine.milliseconds, 1u);
  delay.Milliseconds(1234);
  EXPECT_EQ(machine.milliseconds, 1235u);
  EXPECT_EQ(machine.diagnostic_writes, 0u);
}

// The bits beside it in port 0x61 mask NMIs; they stay.
TEST(PurgatoryDelay, LeavesTheSpeakerOffAndOtherBitsAlone) {
  BareMachine machine;
  machine.Write(0x61, 0x0a);
  purgatory::Delay delay;
  delay.Milliseconds(1);
  EXPECT_EQ(machine.Read(0x61) & 0x0f, 0x09);
}

TEST(PurgatoryDelay, WithoutATimer) {
  for (auto timer : {BareMachine::Timer::kAbsentOnes, BareMachine::Timer::kAbsentZeros}) {
    BareMachine machine;
    machine.timer = timer;
    purgatory::Delay delay;
    delay.Milliseconds(120);
    EXPECT_EQ(machine.diagnostic_writes, 120'000u);
    EXPECT_LT(machine.reads, 6'000'000u) << "the timer is tried once";
  }
}

std::string Written(void (*write)(purgatory::Serial&)) {
  BareMachine machine;
  purgatory::Serial serial(0x3f8);
  write(serial);
  return machine.serial;
}

TEST(PurgatorySerial, Numbers) {
  EXPECT_EQ(Written([](auto& s) { s.Hex(0); }), "0x0");
  EXPECT_EQ(Written([](auto& s) { s.Hex(0x10ab); }), "0x10ab");
  EXPECT_EQ(Written([](auto& s) { s.Hex(UINT64_MAX); }), "0xffffffffffffffff");
  EXPECT_EQ(Written([](auto& s) { s.Decimal(0); }), "0");
  EXPECT_EQ(Written([](auto& s) { s.Decimal(1020); }), "1020");
  EXPECT_EQ(Written([](auto& s) { s.Decimal(UINT64_MAX); }), "18446744073709551615");
}

TEST(PurgatorySerial, OtherPort) {
  BareMachine machine;
  machine.uart_port = 0xe0c0;
  purgatory::Serial serial(0xe0c0);
  serial.Text("PCI");
  EXPECT_EQ(machine.serial, "PCI");
}

TEST(PurgatorySerial, PortWithoutUart) {
  BareMachine machine;
  machine.uart = BareMachine::Uart::kAbsent;
  purgatory::Serial serial(0x3f8);
  serial.Text("nobody hears this");
  EXPECT_LT(machine.reads, 100u);
}

// One time-out for the whole message, not one a byte.
TEST(PurgatorySerial, StuckUartIsGivenUp) {
  for (auto uart : {BareMachine::Uart::kStuck, BareMachine::Uart::kStuckLater}) {
    BareMachine machine;
    machine.uart = uart;
    purgatory::Serial serial(0x3f8);
    serial.Text("a message of some length");
    EXPECT_EQ(machine.serial, uart == BareMachine::Uart::kStuck ? "" : "a message ");
    EXPECT_LT(machine.reads, 250'000u);
  }
}

}  // namespace
}  // namespace kdumpkit
