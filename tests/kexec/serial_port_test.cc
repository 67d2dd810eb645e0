// SPDX-License-Identifier: GPL-2.0-or-later
#include "kexec/serial_port.h"

#include <gtest/gtest.h>

#include "tests/kexec/segment_machine.h"

namespace kdumpkit {
namespace {

std::optional<uint16_t> PortOf(std::string_view command_line) {
  FakeMachine machine;
  AddSegmentFiles(machine);
  machine.Set("sys/class/tty/ttyS1/port", "0x2F8\n");
  machine.Set("sys/class/tty/ttyS2/port", "0x0\n");
  machine.Set("sys/class/tty/ttyS4/port", "0x9000\n");
  machine.Set("sys/class/tty/ttyS4/io_type", "2\n");  // memory
  return SerialConsolePort(command_line, machine.Root());
}

TEST(SerialPort, ConsoleAtALineOfTheRunningSystem) {
  EXPECT_EQ(PortOf("root=/dev/vda console=ttyS0"), 0x3f8);
  EXPECT_EQ(PortOf("console=ttyS1,115200n8 quiet"), 0x2f8);
}

TEST(SerialPort, TheLastConsoleCounts) {
  EXPECT_EQ(PortOf("console=ttyS0 console=ttyS1,9600 console=tty0"), 0x2f8);
  EXPECT_EQ(PortOf("console=ttyS1 console=uart8250,io,0x3e8,115200n8"), 0x3e8);
}

TEST(SerialPort, GivenPorts) {
  EXPECT_EQ(PortOf("console=uart,io,0x2e8"), 0x2e8);
  EXPECT_EQ(PortOf("earlycon=uart8250,io,0x2e8,115200"), 0x2e8);
  EXPECT_EQ(PortOf("earlyprintk=serial,0x2e8,115200"), 0x2e8);
  EXPECT_EQ(PortOf("earlyprintk=ttyS1,115200,keep"), 0x2f8);
  EXPECT_EQ(PortOf("earlyprintk=serial"), 0x3f8);
  EXPECT_EQ(PortOf("earlyprintk=serial,ttyS0"), 0x3f8);
}

TEST(SerialPort, AConsoleIsMoreThanAnEarlyOne) {
  EXPECT_EQ(PortOf("console=ttyS1 earlyprintk=ttyS0"), 0x2f8);
}

TEST(SerialPort, None) {
  for (const char* text : {"",
                           "quiet",
                           "console=tty0",
                           "console=ttyS2",
                           "console=ttyS3",
                           "console=ttyS4",
                           "console=uart8250,mmio32,0x3f8",
                           "console=uart8250,io",
                           "console=uart8250,io,what",
                           "console=uart8250,io,0x10000",
                           "console=uart8250,io,0x0",
                           "console=hvc0",
                           "console",
                           "console=",
                           "earlyprintk",
                           "earlyprintk=vga",
                           "earlyprintk=efi,keep",
                           "earlyprintk=0xfffff",
                           "xconsole=ttyS0",
                           "earlycon"})
    EXPECT_EQ(PortOf(text), std::nullopt) << text;
}

}  // namespace
}  // namespace kdumpkit
