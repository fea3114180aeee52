# The first process of a lab host: it waits for ever. SIGCHLD is ignored before it is executed, which an exec keeps, so the kernel
# itself collects every orphan of the host. Nothing inside can end it: pid 1 gets no signal that it does not handle.
#
# The file is a whole ELF executable, headers included:
#   as -o x.o holder.x86-64.s && objcopy -O binary -j .text x.o holder        gives the bytes in HolderProgram.cs
.intel_syntax noprefix
.text
.set base, 0x400000
elf:
  .byte 0x7f, 'E', 'L', 'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0
  .short 2                  # ET_EXEC
  .short 62                 # EM_X86_64
  .long 1
  .quad base + start - elf  # entry
  .quad segment - elf       # program headers
  .quad 0                   # no sections
  .long 0
  .short 64, 56, 1, 0, 0, 0
segment:
  .long 1                   # PT_LOAD
  .long 5                   # read, execute
  .quad 0
  .quad base
  .quad base
  .quad end - elf
  .quad end - elf
  .quad 0x1000
start:
  mov eax, 34               # pause
  syscall
  jmp start
end:
