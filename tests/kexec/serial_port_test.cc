// SPDX-License-Identifier: GPL-2.0-or-later
#include "kexec/serial_port.h"

#include <gtest/gtest.h>

#include "tests/kexec/fake_machine.h"

namespace kdumpkit {
namespace {

class SerialPort : public testing::Test {
 protected:
  SerialPort() {
    auto set_line = [this](std::string_view name, std::string_view port, std::string_view type) {
      machine_.Set(fmt::format("sys/class/tty/{}/port", name), port);
      machine_.Set(fmt::format("sys/class/tty/{}/io_type", name), type);
    };
    set_line("ttyS0", "0x3F8\n", "0\n");
    set_line("ttyS1", "0x2F8\n", "0\n");
    set_line("ttyS2", "0x0\n", "0\n");
    set_line("ttyS4", "0x9000\n", "2\n");  // in memory
  }
  std::optional<uint16_t> PortOf(std::string_view command_line) const {
    return SerialConsolePort(command_line, machine_.Root());
  }
  FakeMachine machine_;
};

TEST_F(SerialPort, ConsoleAtALineOfTheRunningSystem) {
  EXPECT_EQ(PortOf("root=/dev/vda console=ttyS0"), 0x3f8);
  EXPECT_EQ(PortOf("console=ttyS1,115200n8 quiet"), 0x2f8);
}

TEST_F(SerialPort, TheLastConsoleCounts) {
  EXPECT_EQ(PortOf("console=ttyS0 console=ttyS1,9600 console=tty0"), 0x2f8);
  EXPECT_EQ(PortOf("console=ttyS1 console=uart8250,io,0x3e8,115200n8"), 0x3e8);
}

TEST_F(SerialPort, GivenPorts) {
  EXPECT_EQ(PortOf("console=uart,io,0x2e8"), 0x2e8);
  EXPECT_EQ(PortOf("earlycon=uart8250,io,0x2e8,115200"), 0x2e8);
  EXPECT_EQ(PortOf("earlyprintk=serial,0x2e8,115200"), 0x2e8);
  EXPECT_EQ(PortOf("earlyprintk=ttyS1,115200,keep"), 0x2f8);
  EXPECT_EQ(PortOf("earlyprintk=serial"), 0x3f8);
  EXPECT_EQ(PortOf("earlyprintk=serial,ttyS0"), 0x3f8);
}

TEST_F(SerialPort, AConsoleIsMoreThanAnEarlyOne) {
  EXPECT_EQ(PortOf("console=ttyS1 earlyprintk=ttyS0"), 0x2f8);
}

TEST_F(SerialPort, None) {
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
