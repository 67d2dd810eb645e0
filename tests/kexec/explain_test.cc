// SPDX-License-Identifier: GPL-2.0-or-later
// Each errno of a failed load through the whole program: its sentence names what is responsible.
#include "kexec/explain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

#include "tests/kexec/fake_machine.h"
#include "tests/kexec/image_builder.h"

namespace kdumpkit {
namespace {

using namespace std::string_literals;
using testing::AllOf;
using testing::HasSubstr;

class Explain : public testing::Test {
 protected:
  // The messages after the kernel answered `error`.
  std::string Message(int error, std::vector<std::string> args = {"-p", "-s"}) {
    machine_.kernel.answers.assign(10, error);
    EXPECT_EQ(machine_.RunWithKernel(std::move(args)), kExitFailed);
    EXPECT_THAT(machine_.err, HasSubstr(fmt::format("loading '{}' as", machine_.KernelPath())));
    EXPECT_THAT(machine_.err, HasSubstr(strerrordesc_np(error)));
    return machine_.err;
  }

  void LockDown() {
    machine_.Set("sys/kernel/security/lockdown", "none [integrity] confidentiality\n");
    machine_.Set("sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c",
                 "\6\0\0\0\1"s);
  }

  FakeMachine machine_;
};

TEST_F(Explain, EpermOfAnUnsignedKernelUnderLockdown) {
  LockDown();
  EXPECT_THAT(Message(EPERM), HasSubstr("kernel lockdown is 'integrity'; Secure Boot is on, and '" +
                                        machine_.KernelPath() + "' has no signature"));
}

TEST_F(Explain, EpermOfASignedKernelUnderLockdown) {
  LockDown();
  BzImageFields fields;
  fields.is_signed = true;
  machine_.Set("boot/vmlinuz", MakeBzImage(fields));
  EXPECT_THAT(Message(EPERM), HasSubstr("is signed with a key this kernel does not trust"));
}

TEST_F(Explain, EpermWithoutVisibleReason) {
  EXPECT_THAT(Message(EPERM), HasSubstr("look for a security module or a container's seccomp"));
}

// The settings changed between the checks and the call.
TEST_F(Explain, EpermReadsTheSettingsAgain) {
  RootDir root = machine_.Root();
  Options options;
  options.slot = Slot::kCrash;
  options.kernel = machine_.KernelPath();
  LoadPlan plan = MakeLoadPlan(options, root, "x86_64").value();
  machine_.Set("proc/sys/kernel/kexec_load_disabled", "1\n");
  machine_.Set("proc/sys/kernel/kexec_load_limit_panic", "0\n");
  std::string text = ExplainLoadError(EPERM, plan, SystemState::Read(root));
  EXPECT_THAT(text, HasSubstr("kexec_load_disabled' is 1"));
  EXPECT_THAT(text, HasSubstr("; '/proc/sys/kernel/kexec_load_limit_panic' is 0"));
}

TEST_F(Explain, Eacces) {
  EXPECT_THAT(Message(EACCES), HasSubstr("the integrity policy (a security module) does not accept "
                                         "'" +
                                         machine_.KernelPath() + "':"));
  machine_.Set("sys/kernel/security/ima/policy", "");
  EXPECT_THAT(Message(EACCES, {"-p", "--initrd=" + machine_.InitrdPath()}),
              HasSubstr("(IMA, '/sys/kernel/security/ima/policy') does not accept '" +
                        machine_.KernelPath() + "' or '" + machine_.InitrdPath() + "'"));
}

TEST_F(Explain, Enodata) {
  LockDown();
  EXPECT_THAT(Message(ENODATA),
              HasSubstr("this kernel demands a signature and '" + machine_.KernelPath() +
                        "' has none (kernel lockdown is 'integrity'; Secure Boot "
                        "is on)"));
}

TEST_F(Explain, Enokey) {
  machine_.Remove("sys/kernel/security/lockdown");
  std::string text = Message(ENOKEY);
  EXPECT_THAT(text, HasSubstr("is signed with a key that this kernel does not have"));
  EXPECT_THAT(text, HasSubstr("kernel lockdown is unknown"));
  EXPECT_THAT(text, HasSubstr("mokutil --import"));
}

TEST_F(Explain, Ekeyrejected) {
  EXPECT_THAT(Message(EKEYREJECTED),
              HasSubstr("the signature of '" + machine_.KernelPath() + "' was rejected"));
  EXPECT_THAT(Message(EKEYREVOKED), HasSubstr("was rejected"));
}

TEST_F(Explain, Ekeyexpired) { EXPECT_THAT(Message(EKEYEXPIRED), HasSubstr("has expired")); }

TEST_F(Explain, BrokenSignatures) {
  for (int error : {ELIBBAD, EBADMSG, EMSGSIZE})
    EXPECT_THAT(Message(error), HasSubstr("the signature or the EFI header of '" +
                                          machine_.KernelPath() + "' is damaged"));
}

TEST_F(Explain, Enopkg) { EXPECT_THAT(Message(ENOPKG), HasSubstr("'/proc/crypto'")); }

TEST_F(Explain, Enoexec) {
  EXPECT_THAT(Message(ENOEXEC), HasSubstr("the kernel's loader does not take '" +
                                          machine_.KernelPath() + "', which is a Linux bzImage"));
}

TEST_F(Explain, Einval) {
  std::string text = Message(EINVAL, {"-p", "-s", "--append=12345"});
  EXPECT_THAT(text, HasSubstr("the command line (5 characters, at most 2016)"));
  EXPECT_THAT(text, HasSubstr("more than half of memory (48.0 MiB of 1953.1 MiB of memory)"));
}

TEST_F(Explain, EaddrnotavailOfACrashKernel) {
  EXPECT_THAT(Message(EADDRNOTAVAIL),
              HasSubstr("the image does not fit into the reservation: at least 48.0 MiB are needed "
                        "(kernel 48 MiB at a multiple of 2 MiB, initrd 0 bytes), 256 MiB are "
                        "reserved ('Crash kernel' in '/proc/iomem')"));
  machine_.Remove("proc/iomem");
  machine_.Remove("sys/kernel/kexec_crash_size");
  EXPECT_THAT(Message(EADDRNOTAVAIL), HasSubstr("an unknown size are reserved"));
}

TEST_F(Explain, EaddrnotavailOfANormalKernel) {
  EXPECT_THAT(Message(EADDRNOTAVAIL, {"-l"}), HasSubstr("no free range of memory is large enough"));
}

TEST_F(Explain, EnosysNamesTheOtherSystemCall) {
  EXPECT_THAT(Message(ENOSYS), HasSubstr("no kexec_file_load (CONFIG_KEXEC_FILE is off): leave -s "
                                         "out, kexec_load may be there"));
}

// Rows of kexec_load.

TEST_F(Explain, SegmentEperm) {
  RootDir root = machine_.Root();
  Options options;
  options.slot = Slot::kCrash;
  options.kernel = machine_.KernelPath();
  options.call = CallChoice::kSegments;
  LoadPlan plan = MakeLoadPlan(options, root, "x86_64").value();
  ASSERT_FALSE(plan.Refused());
  EXPECT_THAT(ExplainLoadError(EPERM, plan, SystemState::Read(root)),
              HasSubstr("a container's seccomp filter"));
  LockDown();
  EXPECT_THAT(ExplainLoadError(EPERM, plan, SystemState::Read(root)),
              HasSubstr("kernel lockdown is 'integrity'; Secure Boot is on, which forbids "
                        "kexec_load: load a signed bzImage with -s"));
  machine_.Set("proc/sys/kernel/kexec_load_disabled", "1\n");
  EXPECT_THAT(ExplainLoadError(EPERM, plan, SystemState::Read(root)),
              HasSubstr("kexec_load_disabled' is 1"));
}

TEST_F(Explain, SegmentEacces) {
  EXPECT_THAT(Message(EACCES, {"-p", "-c"}), HasSubstr("kexec_load shows it none: use -s"));
}

TEST_F(Explain, SegmentEinval) {
  EXPECT_THAT(Message(EINVAL, {"-p", "-c"}),
              AllOf(HasSubstr("the kernel did not accept the 5 segments (48."),
                    HasSubstr(" MiB in all, of 1953.1 MiB of memory; at most half of memory and 16 "
                              "segments are taken)")));
}

TEST_F(Explain, SegmentEaddrnotavail) {
  EXPECT_THAT(Message(EADDRNOTAVAIL, {"-p", "-c"}),
              HasSubstr("a segment lies outside the reservation"));
  EXPECT_THAT(Message(EADDRNOTAVAIL, {"-l", "-c"}),
              HasSubstr("memory has changed since '/sys/firmware/memmap'"));
}

TEST_F(Explain, SegmentEnomem) {
  EXPECT_THAT(Message(ENOMEM, {"-p", "-c"}), HasSubstr("no memory for page tables"));
}

TEST_F(Explain, SegmentEnosys) {
  EXPECT_THAT(Message(ENOSYS, {"-p", "-c"}),
              HasSubstr("no kexec_load (CONFIG_KEXEC is off): use -s, with a bzImage"));
}

TEST_F(Explain, SegmentErrnosThatMeanTheSame) {
  EXPECT_THAT(Message(EBUSY, {"-p", "-c"}), HasSubstr("still holds the kernel's kexec lock"));
  EXPECT_THAT(Message(EOPNOTSUPP, {"-p", "-c"}), HasSubstr("such as TDX"));
  EXPECT_THAT(Message(EINTR, {"-p", "-c"}), HasSubstr("a signal interrupted it"));
}

TEST_F(Explain, Eopnotsupp) { EXPECT_THAT(Message(EOPNOTSUPP), HasSubstr("such as TDX")); }

TEST_F(Explain, Etxtbsy) {
  EXPECT_THAT(Message(ETXTBSY), HasSubstr("is open for writing"));
  EXPECT_THAT(Message(ETXTBSY, {"-p", "--initrd=" + machine_.InitrdPath()}),
              HasSubstr("' or '" + machine_.InitrdPath() + "' is open for writing"));
}

TEST_F(Explain, Eio) { EXPECT_THAT(Message(EIO), HasSubstr("check the disk")); }

TEST_F(Explain, Enomem) {
  EXPECT_THAT(Message(ENOMEM), HasSubstr("no memory for its copies of the files (3 KiB)"));
}

TEST_F(Explain, Efbig) { EXPECT_THAT(Message(EFBIG), HasSubstr("larger than the 4 GiB")); }

TEST_F(Explain, Eintr) { EXPECT_THAT(Message(EINTR), HasSubstr("a signal interrupted it")); }

TEST_F(Explain, AnyOtherErrorPointsToTheKernelLog) {
  EXPECT_THAT(Message(EFAULT), HasSubstr("at the end of 'dmesg'"));
}

}  // namespace
}  // namespace kdumpkit
